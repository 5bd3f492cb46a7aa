"""What the console reads of the local stack."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.e2e import runs
from tests.e2e.conftest import LocalStack, eventually

NAME = f"console_{os.getpid()}"
"""Different in each process that runs tests."""
CODE = """
from functions.core.workflow import Parameters, Result, start, workflow


class Asked(Parameters):
    how: str


class Answered(Result):
    run_id: str | None = None


def NAME(asked: Asked) -> Answered:
    if asked.how == "start":
        return Answered(run_id=start("NAME", [{"how": "well"}, {"how": "boom"}]).run_id)
    if asked.how == "boom":
        raise RuntimeError("a deliberate exception")
    return Answered()


lambda_handler = workflow(NAME, starts=["NAME"])
"""


def read(stack: LocalStack, path: str) -> Any:
    answer = httpx.get(f"{stack.url}/_local/{path}", timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_it_knows_where_the_stack_is_and_its_tokens(stack: LocalStack) -> None:
    about = read(stack, "about")
    assert about["url"] == stack.url
    assert about["emulator_url"] == stack.running.emulator_url
    assert about["tokens"] == {kind: stack.printed(kind) for kind in ("secret", "publishable")}
    assert (about["app_name"], about["stage"], about["events_url"]) == ("Our app", "local", "")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_page_uploads_a_list(name: str, stack: LocalStack) -> None:
    """Opened as localhost, too. The policy of the page allows the emulator's origin."""
    own = f"http://{name}:{httpx.URL(stack.url).port}"
    page = {"origin": own, "sec-fetch-site": "same-origin", "x-console": "page"}
    with stack.api() as api:
        form = api.post("/runs/uploads", json={"format": "csv"}, headers=page).json()
    policy = httpx.get(stack.url).headers["content-security-policy"]
    target = httpx.URL(form["url"])
    assert f" http://{target.netloc.decode()};" in policy
    files = {"file": ("list.csv", b"verification_id\nk1.one\n")}
    elsewhere = {"origin": own, "sec-fetch-site": "same-site"}
    sent = httpx.post(form["url"], data=form["fields"], files=files, headers=elsewhere, timeout=60)
    assert sent.status_code == 204
    assert sent.headers["access-control-allow-origin"] == own


def test_a_request_waits_for_the_message_of_a_call(stack: LocalStack) -> None:
    to = f"{NAME}@example.com"
    with ThreadPoolExecutor() as pool, stack.api() as api:
        asked = pool.submit(read, stack, f"inbox?to={to}&wait=60")
        sent = api.post("/workflows/verify_send", json={"channel": "email", "to": to})
        assert sent.status_code == 200, sent.text
        (message,) = asked.result()
    assert message["to"] == to
    source = httpx.get(f"{stack.url}/_local/inbox/{message['id']}/source").text
    assert f"Subject: {message['subject']}" in source
    html = httpx.get(f"{stack.url}/_local/inbox/{message['id']}/html")
    assert html.headers["content-security-policy"].startswith("sandbox;")


def test_a_call_is_found_with_its_log_lines_and_without_its_code(stack: LocalStack) -> None:
    body = {"verification_id": "k1.AAAAAAAAAAAAAAAAAAAAAA", "code": "918273"}
    with stack.api() as api:
        answer = api.post("/workflows/verify_check", json=body, headers={"x-console": "page"})
    request_id = answer.headers["x-request-id"]
    (about,) = [
        each
        for each in read(stack, "requests?path=/workflows/verify_check")
        if each["request_id"] == request_id
    ]
    assert (about["status"], about["caller"]) == (answer.status_code, "development secret")
    assert about["from"] == "console"
    found = eventually(
        "the line is there",
        lambda: read(stack, f"requests/{request_id}"),
        lambda found: found["lines"],
    )
    assert found["request"] == about
    assert found["body"] == {**body, "code": "[redacted]"}
    assert found["answer"] == answer.json()
    (line,) = found["lines"]
    assert line["about"] == "verify_check"
    assert line["keys"]["request_id"] == request_id
    assert line.keys() == {"at", "level", "about", "message", "keys", "traceback"}


def test_an_unknown_request_is_a_404(stack: LocalStack) -> None:
    for request_id in ("none", "%22%20%7C%7C"):
        answer = httpx.get(f"{stack.url}/_local/requests/{request_id}", timeout=60)
        assert answer.status_code in {400, 404}


def test_the_lines_of_a_run_and_of_one_item_have_the_traceback(stack: LocalStack) -> None:
    stack.add_workflow(NAME, CODE.replace("NAME", NAME))
    run_id = stack.invoke(NAME, how="start")["run_id"]
    with stack.new_api(f"runs:read,workflow:{NAME}") as api:
        runs.ended(api, run_id)
    lines = eventually(
        "both items have lines",
        lambda: read(stack, f"logs?run={run_id}")["lines"],
        lambda lines: (
            {f"{run_id}/0", f"{run_id}/1"} <= {line["keys"].get("item_id") for line in lines}
        ),
    )
    failed = read(stack, f"logs?run={run_id}&index=1")["lines"]
    assert {line["keys"]["item_id"] for line in failed} == {f"{run_id}/1"}
    assert len(failed) < len(lines)
    for traceback in filter(None, (line["traceback"] for line in failed)):
        assert traceback.startswith("Traceback (most recent call last):")
        assert "RuntimeError: a deliberate exception" in traceback
    assert any(line["traceback"] for line in failed)
    assert httpx.get(f"{stack.url}/_local/logs").status_code == 400


def test_a_sample_of_a_webhook_is_verified_and_starts_a_run(stack: LocalStack) -> None:
    sources = {each["source"]: each for each in read(stack, "webhooks")["sources"]}
    assert (sources["twilio"]["secret_set"], sources["usersnap"]["secret_set"]) == (True, False)
    made = httpx.post(f"{stack.url}/_local/webhooks/twilio/sample", json={}).json()
    assert made["signed"]
    content = made["body"].encode()
    started = httpx.post(stack.url + made["path"], content=content, headers=made["headers"])
    assert started.status_code == 202, started.text
    forged = httpx.post(
        stack.url + made["path"], content=content + b"&a=b", headers=made["headers"]
    )
    assert forged.status_code == 401
    refused, accepted = read(stack, "requests?path=/webhooks/twilio&limit=2")
    assert (accepted["source"], accepted["verified"]) == ("twilio", True)
    assert accepted["run_id"] == started.json()["run_id"]
    assert (refused["verified"], refused["code"]) == (False, "wrong_signature")


def test_a_sample_that_cannot_be_signed_says_why(stack: LocalStack) -> None:
    made = {
        source: httpx.post(f"{stack.url}/_local/webhooks/{source}/sample", json={}).json()
        for source in ("usersnap", "ses")
    }
    assert made["usersnap"]["command"] == "make webhook-secret SOURCE=usersnap"
    assert not made["usersnap"]["signed"]
    assert not made["ses"]["signed"]
    assert "Amazon" in made["ses"]["why"]


def test_emails_are_rendered_with_the_settings_of_the_stack(stack: LocalStack) -> None:
    email = read(stack, "emails/verification/de")
    assert (email["mistake"], email["from"]) == (None, "Our app <no-reply@example.com>")
