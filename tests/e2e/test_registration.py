"""First access to a deployment: the registration token is exchanged for a secret token."""

import httpx

from infra.workflows import workflows
from tests.e2e.conftest import LocalStack


def registration_token(stack: LocalStack) -> str:
    """The registration token, as an operator reads it."""
    return stack.secret("RegistrationTokenSecret")


def register(stack: LocalStack, token: str) -> httpx.Response:
    """Exchanges a registration token, as any client does: without authorization."""
    return httpx.post(
        f"{stack.url}/workflows/record_registration", json={"registration_token": token}, timeout=60
    )


def test_the_registration_token_is_exchanged_once_and_renewed(stack: LocalStack) -> None:
    token = registration_token(stack)
    answer = register(stack, token)
    assert answer.status_code == 200, answer.text
    with stack.api(answer.json()["token"]) as api:
        assert (
            api.post("/workflows/verify_delete", json={"verification_id": "k1.none"}).json()[
                "deleted"
            ]
            is False
        )
        assert api.get("/runs").status_code == 200
    refused = register(stack, token)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    renewed = registration_token(stack)
    assert (len(renewed), renewed.isalnum(), renewed != token) == (48, True, True)
    assert register(stack, renewed).status_code == 200


def test_no_other_workflow_is_answered_without_a_token(stack: LocalStack) -> None:
    statuses = {
        name: httpx.post(f"{stack.url}/workflows/{name}", json={}, timeout=60).status_code
        for name in workflows()
    }
    assert statuses == dict.fromkeys(workflows(), 401) | {"record_registration": 422}


def test_neither_registration_token_is_in_a_log(stack: LocalStack) -> None:
    tokens = [registration_token(stack)]
    register(stack, tokens[0])
    tokens.append(registration_token(stack))
    register(stack, "x" * 48)
    log = "\n".join(stack.logs())
    assert "registration_refused" in log
    assert [token for token in tokens if token in log] == []


def test_the_local_stack_knows_where_it_is_and_is_ready(stack: LocalStack) -> None:
    with stack.api() as api:
        about = {"stage": "local", "region": "us-east-1", "url": f"{stack.url.upper()}/"}
        told = api.post("/workflows/check_app_location", json=about).json()
    assert (told["matches"], told["ready"]) == (True, True), told
    assert {each["name"]: each["ok"] for each in told["checks"]} == {
        "email_sender": True,
        "email_sandbox": True,
        "link_hosts": True,
        "reply_to_domains": True,
        "sms_sandbox": None,  # the emulator does not support this call
        "sms_providers": True,
        "secrets": True,
        "schedules": True,
        "runs": True,
        "concurrency": True,
        "events_url": None,  # off by default
        "captcha": None,  # off by default
        "email_reports": None,
    }
    listed = stack.emulator.client("scheduler").list_schedules(NamePrefix="check.")
    assert listed["Schedules"] == []


def test_another_deployments_identifiers_are_none_of_this_one(stack: LocalStack) -> None:
    with stack.api() as api:
        told = api.post(
            "/workflows/check_app_location", json={"stage": "prod", "region": "us-east-1"}
        ).json()
    assert (told["matches"], told["stage"]["matches"], told["region"]["matches"]) == (
        False,
        False,
        True,
    )
