"""`make unlock` and SES's suppression list, against botocore's model: the emulator has no list."""

import sys
from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from infra import operate, stack_target
from tests.builders.verifications import send

pytestmark = pytest.mark.usefixtures("cloud")

UNLOCKED = "a**@example.com is unlocked: its failed checks and its sends are forgotten."
REMOVED = "SES's suppression list had it, and sends to it again."


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client("sesv2", region_name="us-east-1")
    real = boto3.client
    monkeypatch.setattr(boto3, "client", lambda name: client if name == "sesv2" else real(name))
    monkeypatch.setattr(stack_target, "select_stack", lambda *_: None)
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def unlock(to: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["operate", "unlock", "--to", to])
    monkeypatch.setenv("SMS_COUNTRIES", "")  # the command sets it
    assert operate.main() == 0
    return capsys.readouterr().out.splitlines()[-1]


def has(ses: Stubber, address: str) -> None:
    ses.add_response("delete_suppressed_destination", {}, {"EmailAddress": address})


def lacks(ses: Stubber, address: str, code: str = "NotFoundException") -> None:
    ses.add_client_error(
        "delete_suppressed_destination", code, expected_params={"EmailAddress": address}
    )


def test_an_address_is_taken_off_the_list_in_either_spelling(
    ses: Stubber, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacks(ses, "Ana@example.com")
    has(ses, "ana@example.com")
    assert unlock("Ana@Example.com", monkeypatch, capsys) == f"{UNLOCKED} {REMOVED}"


def test_an_address_that_is_not_on_the_list_is_unlocked_all_the_same(
    ses: Stubber, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacks(ses, "ana@example.com")
    send("ana@example.com")
    assert send("ana@example.com").status == 429
    assert unlock("ana@example.com", monkeypatch, capsys) == UNLOCKED.replace("A*", "a*")
    assert send("ana@example.com").status == 200


def test_an_operator_without_the_permission_is_told_what_was_not_done(
    ses: Stubber, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacks(ses, "ana@example.com", "AccessDeniedException")
    assert unlock("ana@example.com", monkeypatch, capsys).endswith(
        "SES's suppression list could not be changed: AccessDeniedException."
    )


@pytest.mark.usefixtures("ses")
def test_a_number_is_on_no_list_of_ses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "SES" not in unlock("+14155550123", monkeypatch, capsys)
