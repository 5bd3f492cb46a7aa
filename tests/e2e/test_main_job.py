"""Send a code, check it, delete it: over HTTP, on the deployed template, with IAM enforced."""

import httpx
import pytest

from tests.builders.parameters import check_parameters, send_parameters
from tests.e2e.conftest import LocalStack


def send(api: httpx.Client, to: str, **parameters: str) -> httpx.Response:
    return api.post("/workflows/verify_send", json=send_parameters(to, **parameters))


def check(api: httpx.Client, verification_id: str, code: str) -> dict[str, object]:
    parameters = check_parameters(verification_id, code)
    body: dict[str, object] = api.post("/workflows/verify_check", json=parameters).json()
    return body


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_destination_is_verified_with_the_code_that_arrives_there(
    channel: str, stack: LocalStack, api: httpx.Client, email: str, phone: str
) -> None:
    to = email if channel == "email" else phone
    sent = send(api, to, purpose="sign_in")
    assert sent.status_code == 200, sent.text
    verification_id = sent.json()["verification_id"]
    code = stack.code(to)
    assert check(api, verification_id, another(code))["attempts_left"] == 4
    valid = check(api, verification_id, code)
    assert valid == {
        "valid": True,
        "attempts_left": 3,
        "channel": channel,
        "to": to,
        "purpose": "sign_in",
        "proof": None,
        "test": False,
    }
    assert check(api, verification_id, code)["valid"] is False


def test_the_email_shows_its_code_in_html_and_text(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    send(api, email)
    (mail,) = stack.inbox(email)
    code = stack.code(email)
    assert code in mail["text"]
    assert f">{code}<" in mail["html"]
    assert (mail["channel"], mail["to"], mail["from"]) == (
        "email",
        email,
        "Our app <no-reply@example.com>",
    )
    assert code not in mail["subject"]


def test_the_inbox_is_newest_first_and_finds_a_number_with_an_unencoded_plus(
    stack: LocalStack, api: httpx.Client, phone: str, email: str
) -> None:
    send(api, phone)
    send(api, email)
    everything = httpx.get(f"{stack.url}/_local/inbox").json()
    assert [message["sent_at"] for message in everything] == sorted(
        (message["sent_at"] for message in everything), reverse=True
    )
    assert [
        message["to"] for message in httpx.get(f"{stack.url}/_local/inbox?to={phone}").json()
    ] == [phone]


def test_the_cooldown_answers_429_with_retry_after(api: httpx.Client, email: str) -> None:
    assert send(api, email).status_code == 200
    refused = send(api, email.upper())
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["retry_after_seconds"] == int(refused.headers["retry-after"])


def test_the_deletion_is_scheduled_in_the_stacks_group(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    verification_id = send(api, email).json()["verification_id"]
    schedule = stack.emulator.client("scheduler").get_schedule(
        Name=verification_id, GroupName="local-verifications"
    )
    assert schedule["Target"]["Arn"].endswith(":function:local-wf-verify_delete")


def test_a_verification_can_be_deleted_by_a_call(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    verification_id = send(api, email).json()["verification_id"]
    answers = [
        api.post("/workflows/verify_delete", json={"verification_id": verification_id}).json()
        for _ in "12"
    ]
    assert [answer["deleted"] for answer in answers] == [True, False]
    assert check(api, verification_id, stack.code(email))["valid"] is False


def test_a_publishable_token_sends_and_checks(stack: LocalStack, email: str) -> None:
    with stack.api(stack.printed("publishable")) as api:
        verification_id = send(api, email).json()["verification_id"]
        assert check(api, verification_id, stack.code(email))["valid"] is True
        refused = api.post("/workflows/verify_delete", json={"verification_id": verification_id})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, "/channel"),
        ({"channel": "email", "to": "nobody"}, 422, "/to"),
        ({"channel": "email", "to": "a@example.com", "trigger": "schedule"}, 422, "/trigger"),
    ],
)
def test_bad_input_gets_a_problem_document(
    body: dict[str, str], status: int, pointer: str, api: httpx.Client
) -> None:
    refused = api.post("/workflows/verify_send", json=body)
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert refused.headers["x-request-id"] == refused.json()["request_id"]


def test_every_table_has_its_ttl(stack: LocalStack) -> None:
    dynamodb = stack.emulator.client("dynamodb")
    for table in ("local-verifications", "local-limits", "local-outcomes"):
        ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "delete_at")


def test_a_page_that_waits_is_told_when_the_code_was_entered(
    stack: LocalStack, api: httpx.Client, email: str
) -> None:
    verification_id = send(api, email).json()["verification_id"]
    page = stack.api(stack.new_token("publishable", "workflow:verify_check")["token"])
    body = {"verification_id": verification_id}
    with page:
        assert page.post("/workflows/verify_status", json=body).json()["status"] == "pending"
        check(api, verification_id, stack.code(email))
        assert page.post("/workflows/verify_status", json=body).json() == {
            "status": "approved",
            "delivery": None,
            "reason": None,
        }
        unknown = {"verification_id": f"{verification_id}x"}
        assert page.post("/workflows/verify_status", json=unknown).json()["status"] == "expired"
