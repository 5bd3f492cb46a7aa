import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from functions.core import aws
from functions.core.integrations import usersnap
from functions.core.integrations.usersnap.app_setting import AppSetting, Usersnap
from functions.core.integrations.usersnap.portal_keys import portal_keys
from functions.workflows.update_usersnap.handler import lambda_handler as update_usersnap
from tests import fakes
from tests.builders import Context, Reply, call
from tests.workflows.conftest import Settings, admin

pytestmark = pytest.mark.usefixtures("cloud")

KEY = "01234567-89ab-4cde-8f01-23456789abcd"
OTHER_KEY = "fedcba98-7654-4321-8fed-cba987654321"
PORTAL = "https://portal.example.com/feedback"
FIRST = "c" * 44
"""Key that the stack generates."""
SECOND, THIRD = "whsec_" + "d" * 44, "whsec_" + "e" * 44


def update(**parameters: Any) -> Reply:
    return call(update_usersnap, {"enabled": True} | parameters)


def versions() -> int:
    """Number of times that the secret was written."""
    listed = admin("secretsmanager").list_secret_version_ids(
        SecretId="usersnap-portal-key", IncludeDeprecated=True
    )
    return len(listed["Versions"])


def test_it_is_off_until_it_is_switched_on() -> None:
    assert usersnap.read() == Usersnap(enabled=False, space_api_key=None, portal_url=None)
    reply = update(space_api_key=KEY)
    assert (reply.status, reply.body) == (
        200,
        {"enabled": True, "space_api_key": KEY, "portal_url": None, "forwarding": False},
    )
    assert usersnap.read() == Usersnap(enabled=True, space_api_key=KEY)


def test_it_can_be_switched_off_before_it_was_ever_on() -> None:
    reply = update(enabled=False)
    assert reply.body == {
        "enabled": False,
        "space_api_key": None,
        "portal_url": None,
        "forwarding": False,
    }


def test_switching_off_keeps_the_rest_for_when_it_is_switched_on_again() -> None:
    update(space_api_key=KEY, portal_url=PORTAL)
    kept = {"space_api_key": KEY, "portal_url": PORTAL}
    assert update(enabled=False).body == {"enabled": False, "forwarding": False} | kept
    assert update(enabled=True).body == {"enabled": True, "forwarding": True} | kept


@pytest.mark.parametrize("absent", [None, ""])
def test_an_absent_parameter_changes_nothing(absent: str | None) -> None:
    update(space_api_key=KEY, portal_url=PORTAL, portal_secret=SECOND)
    reply = update(space_api_key=absent, portal_url=absent, portal_secret=absent)
    assert reply.body == {
        "enabled": True,
        "space_api_key": KEY,
        "portal_url": PORTAL,
        "forwarding": True,
    }
    assert portal_keys() == (SECOND, FIRST)


def test_key_and_portal_can_be_changed() -> None:
    update(space_api_key=KEY, portal_url=PORTAL)
    reply = update(space_api_key=OTHER_KEY, portal_url="https://other.example.com")
    assert (reply.body["space_api_key"], reply.body["portal_url"]) == (
        OTHER_KEY,
        "https://other.example.com",
    )


def test_none_as_portal_ends_the_forwarding_and_nothing_else() -> None:
    update(space_api_key=KEY, portal_url=PORTAL)
    reply = update(portal_url="none")
    assert reply.body == {
        "enabled": True,
        "space_api_key": KEY,
        "portal_url": None,
        "forwarding": False,
    }
    assert "portal_url" not in admin("dynamodb").scan(TableName="local-app-settings")["Items"][0]


def test_switching_on_without_a_key_is_refused_before_anything_is_changed() -> None:
    reply = update(portal_url=PORTAL, portal_secret=SECOND)
    assert (reply.status, reply.body["code"]) == (422, "invalid_parameters")
    assert reply.body["errors"] == [
        {
            "pointer": "/space_api_key",
            "detail": "is required to switch Usersnap on for the first time",
        }
    ]
    assert (list(AppSetting.scan()), portal_keys()) == ([], (FIRST,))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("enabled", "true"),
        ("enabled", None),
        ("space_api_key", KEY.upper()),
        ("space_api_key", KEY + "\n"),
        ("space_api_key", "x" * 36),
        ("space_api_key", KEY + '"+alert(1)+"'),
        ("space_api_key", 1),
        ("portal_url", "https://127.0.0.1/"),
        ("portal_secret", "whsec_short"),
        ("portal_key", "x"),
    ],
)
def test_invalid_parameters_are_named_and_change_nothing(parameter: str, value: object) -> None:
    reply = update(**{"space_api_key": KEY, "portal_secret": SECOND, parameter: value})
    assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (
        422,
        [f"/{parameter}"],
    )
    assert (list(AppSetting.scan()), portal_keys()) == ([], (FIRST,))


def test_a_new_secret_signs_beside_the_one_before_it_until_the_next_one_comes() -> None:
    assert portal_keys() == (FIRST,)
    update(enabled=False, portal_secret=SECOND)
    assert portal_keys() == (SECOND, FIRST)
    update(enabled=False, portal_secret=THIRD)
    assert portal_keys() == (THIRD, SECOND)


def test_the_secret_before_may_come_back() -> None:
    update(enabled=False, portal_secret=SECOND)
    update(enabled=False, portal_secret=FIRST)
    assert portal_keys() == (FIRST, SECOND)


@pytest.mark.parametrize("again", [SECOND, SECOND.removeprefix("whsec_")])
def test_the_same_secret_again_changes_nothing(again: str) -> None:
    update(enabled=False, portal_secret=SECOND)
    written = versions()
    update(enabled=False, portal_secret=again)
    assert (portal_keys(), versions()) == ((SECOND, FIRST), written)


def test_a_secret_is_neither_answered_nor_logged(log: io.StringIO) -> None:
    reply = update(space_api_key=KEY, portal_secret=SECOND)
    refused = update(space_api_key=KEY, portal_secret=SECOND[:-1])
    assert refused.status == 422
    for text in (json.dumps([reply.body, refused.body]), log.getvalue()):
        assert "ddd" not in text
    assert '"forwarding":false' in log.getvalue(), "the answer must show the settings in effect"


def test_it_takes_one_request_of_the_database_or_two_where_a_stored_key_is_needed(
    dynamodb_requests: list[str],
) -> None:
    update(space_api_key=KEY)
    update(enabled=False)
    assert dynamodb_requests == ["UpdateItem"] * 2
    update()
    assert dynamodb_requests[2:] == ["GetItem", "UpdateItem"]


def test_each_of_two_parallel_updates_changes_only_its_own_fields(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One update comes between the other's first read and its write."""
    update(space_api_key=KEY)
    read = usersnap.read

    def read_while_another_writes() -> Usersnap:
        found = read()
        usersnap.update(enabled=False, space_api_key=OTHER_KEY)
        return found

    monkeypatch.setattr(usersnap, "read", read_while_another_writes)
    reply = update(portal_url=PORTAL)
    assert reply.body == {
        "enabled": True,
        "space_api_key": OTHER_KEY,
        "portal_url": PORTAL,
        "forwarding": True,
    }


@pytest.mark.parametrize("service", ["DYNAMODB", "SECRETS_MANAGER"])
def test_an_unreachable_service_is_a_503_and_a_repeated_call_does_the_rest(
    service: str, settings: Settings
) -> None:
    settings.set(**{f"AWS_ENDPOINT_URL_{service}": fakes.nobody()})
    reply = update(space_api_key=KEY, portal_url=PORTAL, portal_secret=SECOND)
    assert (reply.status, reply.body["code"], reply.headers["retry-after"]) == (
        503,
        "unavailable",
        "5",
    )
    settings.unset(f"AWS_ENDPOINT_URL_{service}")
    assert usersnap.read() == Usersnap()
    assert (
        update(space_api_key=KEY, portal_url=PORTAL, portal_secret=SECOND).body["forwarding"]
        is True
    )
    assert portal_keys() == (SECOND, FIRST)


def test_a_process_that_dies_after_the_secret_leaves_the_switch_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    update(space_api_key=KEY, portal_url=PORTAL)
    before = usersnap.read()
    monkeypatch.setattr(usersnap, "update", _dies)
    with pytest.raises(KeyboardInterrupt):
        update(portal_url="https://other.example.com", portal_secret=SECOND)
    assert (usersnap.read(), portal_keys()) == (before, (SECOND, FIRST)), (
        "the old portal goes on with the old key"
    )


def _dies(**_: object) -> None:
    raise KeyboardInterrupt


def test_a_write_that_secrets_manager_refuses_for_now_changes_nothing() -> None:
    events = aws.client("secretsmanager", attempts=aws.ATTEMPTS).meta.events
    events.register("before-call.secrets-manager.PutSecretValue", _refuses)
    reply = update(space_api_key=KEY, portal_secret=SECOND)
    events.unregister("before-call.secrets-manager.PutSecretValue", _refuses)
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
    assert (usersnap.read(), portal_keys()) == (Usersnap(), (FIRST,))


def _refuses(**_: object) -> tuple[SimpleNamespace, dict[str, Any]]:
    """Botocore takes this for Secrets Manager's answer."""
    return SimpleNamespace(status_code=400), {"Error": {"Code": "LimitExceededException"}}


def test_it_cannot_run_in_the_background() -> None:
    """A run would store the secret."""
    scopes = ("workflow:update_usersnap", "runs:write")
    reply = call(
        update_usersnap, {"enabled": False}, scopes=scopes, headers={"prefer": "respond-async"}
    )
    assert (reply.status, reply.body["code"]) == (422, "not_in_background")


def test_a_publishable_token_cannot_switch_it() -> None:
    reply = call(update_usersnap, {"enabled": False}, kind="publishable")
    assert (reply.status, reply.body["code"]) == (403, "not_permitted")


def test_it_can_be_invoked_without_http() -> None:
    event = {"trigger": "direct", "parameters": {"enabled": True, "space_api_key": KEY}}
    assert update_usersnap(event, Context())["result"]["enabled"] is True
