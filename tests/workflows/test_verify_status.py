"""verify_status: where a verification stands, for whoever holds its id."""

from typing import Any, get_args

import pytest

from functions.core.verification.codes import code_keys
from functions.core.verification.record import Verification
from functions.workflows.track_delivery.handler import lambda_handler as track_delivery
from functions.workflows.verify_status.handler import lambda_handler as verify_status
from functions.workflows.verify_status.reasons import FailureReason, plain_reason
from tests import fakes
from tests.builders import call
from tests.builders.verifications import check, end, guess, last_code, send, stored
from tests.clock import Clock
from tests.workflows.conftest import Settings

pytestmark = pytest.mark.usefixtures("cloud")

PENDING = {"status": "pending", "delivery": None, "reason": None}
UNKNOWN = {"status": "expired", "delivery": None, "reason": None}


def ask(verification_id: str, **options: Any) -> dict[str, Any]:
    reply = call(verify_status, {"verification_id": verification_id}, **options)
    assert reply.status == 200, reply.body
    return reply.body


def status(verification_id: str) -> Any:
    return ask(verification_id)["status"]


def test_a_code_is_pending_until_it_is_approved_and_then_until_it_is_deleted(clock: Clock) -> None:
    verification_id = send().body["verification_id"]
    assert ask(verification_id) == PENDING
    guess(verification_id)
    assert ask(verification_id) == PENDING
    check(verification_id, last_code())
    assert status(verification_id) == "approved"
    clock.advance(700)
    assert status(verification_id) == "approved"
    end(verification_id)
    assert ask(verification_id) == UNKNOWN


def test_a_code_is_expired_at_its_second(clock: Clock) -> None:
    verification_id = send().body["verification_id"]
    clock.advance(590)
    assert status(verification_id) == "pending"
    clock.advance(10)
    assert status(verification_id) == "expired"


def test_a_code_without_attempts_is_exhausted_also_later(clock: Clock) -> None:
    verification_id = send().body["verification_id"]
    for _ in range(5):
        guess(verification_id)
    assert status(verification_id) == "exhausted"
    clock.advance(601)
    assert status(verification_id) == "exhausted"


def test_an_unknown_id_is_answered_like_a_deleted_one() -> None:
    gone = stored()
    end(gone)
    invented = code_keys().new_verification_id()
    assert [ask(each) for each in (gone, invented, "k9.of-no-key")] == [UNKNOWN] * 3


def test_a_code_that_a_later_send_replaced_is_expired() -> None:
    first = send("ana@example.com").body["verification_id"]
    second = send("bob@example.com", resend_of=first).body["verification_id"]
    assert [status(first), status(second)] == ["expired", "pending"]


def test_asking_is_one_read_and_changes_nothing(dynamodb_requests: list[str]) -> None:
    verification_id = stored()
    before = Verification.get(verification_id).attribute_values
    dynamodb_requests.clear()
    ask(verification_id)
    ask(code_keys().new_verification_id())
    assert dynamodb_requests == ["GetItem", "GetItem"]
    assert Verification.get(verification_id).attribute_values == before


def test_a_record_of_an_earlier_release_has_a_status() -> None:
    """It has neither salt, mark nor time of a check."""
    assert ask(stored(salt=None, last_check=None, checked_at=None)) == PENDING


@pytest.mark.parametrize(
    ("provider", "report", "reason", "plain"),
    [
        ("ses", "Bounce", "Permanent/General", "unreachable"),
        ("ses", "Bounce", "Permanent/OnAccountSuppressionList", "suppressed"),
        ("ses", "Bounce", "Transient/MailboxFull", "mailbox_full"),
        ("ses", "Bounce", "Transient/General", "other"),
        ("ses", "Reject", "Bad content", "rejected"),
        ("twilio", "undelivered", "30003", "unreachable"),
        ("twilio", "failed", "21610", "opted_out"),
        ("twilio", "failed", "30008", "other"),
        ("twilio", "failed", None, "other"),
        ("twilio", "busy", None, "busy"),
        ("twilio", "no-answer", None, "no_answer"),
    ],
)
def test_why_a_message_failed_is_told_in_plain_words(
    provider: str, report: str, reason: str | None, plain: str
) -> None:
    verification_id = stored(delivery="sent", message_id="m-1")
    assert ask(verification_id) == PENDING | {"delivery": "sent"}
    body = {"provider": provider, "status": report, "message_id": "m-1", "reason": reason}
    call(track_delivery, body | {"verification_id": verification_id})
    assert ask(verification_id) == PENDING | {"delivery": "failed", "reason": plain}


def test_a_delivered_message_has_no_reason() -> None:
    verification_id = stored(delivery="delivered", message_id="m-1", delivery_reason="30003")
    assert ask(verification_id) == PENDING | {"delivery": "delivered"}


def test_no_providers_word_is_passed_on() -> None:
    assert {plain_reason(word) for word in ("550 <ana@example.com>", "", None)} == {"other"}
    assert "other" in get_args(FailureReason)


def test_the_answer_has_neither_code_nor_destination() -> None:
    verification_id = send().body["verification_id"]
    check(verification_id, last_code())
    assert set(ask(verification_id)) == {"status", "delivery", "reason"}


@pytest.mark.parametrize("kind", ["secret", "publishable"])
@pytest.mark.parametrize("scope", ["workflow:verify_check", "workflow:verify_status"])
def test_the_scope_of_verify_check_covers_it(scope: str, kind: str) -> None:
    assert ask(stored(), scopes=[scope], kind=kind) == PENDING


def test_no_other_scope_covers_it_and_its_own_covers_nothing_else() -> None:
    reply = call(verify_status, {"verification_id": stored()}, scopes=["workflow:verify_send"])
    assert (reply.status, reply.body["code"]) == (403, "not_permitted")
    assert "workflow:verify_status or workflow:verify_check" in reply.body["detail"]
    assert check(stored(), scopes=["workflow:verify_status"]).status == 403


def test_it_keeps_no_answers_and_runs_in_no_background() -> None:
    verification_id = stored()
    key = {"idempotency-key": "01234567-89ab-4cde-8f01-23456789abcd"}
    assert ask(verification_id, headers=key) == PENDING
    check(verification_id)
    assert ask(verification_id, headers=key)["status"] == "approved"
    reply = call(
        verify_status, {"verification_id": verification_id}, headers={"prefer": "respond-async"}
    )
    assert (reply.status, reply.body["code"]) == (422, "not_in_background")


@pytest.mark.parametrize("wrong", [None, "", "../x", "x" * 65, "k1.x\n", 7])
def test_a_wrong_id_is_named(wrong: object) -> None:
    reply = call(verify_status, {"verification_id": wrong})
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/verification_id")


def test_an_unreachable_database_is_a_503(settings: Settings) -> None:
    verification_id = stored()
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    reply = call(verify_status, {"verification_id": verification_id})
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
