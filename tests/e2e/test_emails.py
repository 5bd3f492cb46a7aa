"""Emails from templates, over HTTP, with IAM enforced."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.e2e.conftest import LocalStack, wait_for_room_before_midnight
from tests.e2e.runs import ended

DATA = {
    "subject": "On its way",
    "heading": "Your order is on its way",
    "paragraphs": ["It comes on Thursday."],
    "button": {"label": "Follow it", "url": "https://app.example.com/orders/7"},
}


def send(api: httpx.Client, to: object, **parameters: object) -> httpx.Response:
    return api.post(
        "/workflows/send_email_template",
        json={"to": to, "template": "message", "data": DATA} | parameters,
    )


def test_an_email_arrives_with_its_button(stack: LocalStack, api: httpx.Client, email: str) -> None:
    sent = send(api, email, locale="ar", reply_to="help@example.com", tags={"order": "7"})
    assert sent.status_code == 200, sent.text
    (mail,) = stack.inbox(email)
    assert (mail["subject"], mail["from"]) == ("On its way", "Our app <no-reply@example.com>")
    assert '<html lang="ar" dir="rtl">' in mail["html"]
    assert 'href="https://app.example.com/orders/7"' in mail["html"]
    assert "https://app.example.com/orders/7" in mail["text"]


def test_several_people_get_a_message_each(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    other = f"other-{email}"
    sent = send(api, [email, other]).json()
    assert (sent["sent"], sent["failed"]) == (2, 0)
    assert [[mail["to"] for mail in stack.inbox(to)] for to in (email, other)] == [[email], [other]]


def test_twenty_emails_a_day_reach_one_mailbox(api: httpx.Client, email: str) -> None:
    wait_for_room_before_midnight()
    spellings = [email.replace("@", f"+{number}@") for number in range(20)]
    assert send(api, spellings).status_code == 200
    refused = send(api, email)
    assert (refused.status_code, refused.json()["code"]) == (429, "limit_exceeded")


def test_a_token_that_anybody_can_read_cannot_send(stack: LocalStack, email: str) -> None:
    with stack.api(stack.printed("publishable")) as api:
        assert send(api, email).status_code == 403
    assert stack.inbox(email) == []


def test_the_same_idempotency_key_twice_and_at_once_sends_once(
    stack: LocalStack, email: str
) -> None:
    body = {"to": email, "template": "message", "data": DATA}
    key = {"idempotency-key": f"key-of-{email}"}

    def ask(prefer: str) -> httpx.Response:
        with stack.api() as api:
            return api.post(
                "/workflows/send_email_template", json=body, headers=key | {"prefer": prefer}
            )

    with ThreadPoolExecutor(4) as pool:
        statuses = [reply.status_code for reply in pool.map(ask, ["wait"] * 4)]
    assert set(statuses) <= {200, 409}, statuses
    assert 200 in statuses
    assert ask("wait").json()["sent"] == 1
    assert ask("respond-async").json()["code"] == "idempotency_key_reused"
    assert len(stack.inbox(email)) == 1


def test_the_same_idempotency_key_in_the_background_is_one_run(
    stack: LocalStack, email: str
) -> None:
    body = {"to": email, "template": "message", "data": DATA}
    headers = {"idempotency-key": f"run-of-{email}", "prefer": "respond-async"}
    with stack.api() as api:
        replies = [
            api.post("/workflows/send_email_template", json=body, headers=headers) for _ in range(3)
        ]
        assert [reply.status_code for reply in replies] == [202, 202, 202]
        (location,) = {reply.headers["location"] for reply in replies}
        assert ended(api, location.removeprefix("/runs/"))["status"] == "succeeded"
    assert len(stack.inbox(email)) == 1
