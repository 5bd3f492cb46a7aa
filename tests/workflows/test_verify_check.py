import json
from typing import Any

import pytest

from functions.core.verification import checking
from functions.core.verification.codes import code_keys
from functions.core.verification.record import Verification
from functions.workflows.verify_check.handler import lambda_handler as verify_check
from tests import fakes
from tests.builders import call
from tests.builders.verifications import CODE, check, stored
from tests.workflows.conftest import Settings

pytestmark = pytest.mark.usefixtures("cloud")

NO = {
    "valid": False,
    "attempts_left": 0,
    "channel": None,
    "to": None,
    "purpose": None,
    "proof": None,
    "test": None,
}


def test_the_right_code_is_valid_once_and_says_what_is_verified() -> None:
    verification_id = stored()
    assert check(verification_id).body == {
        "valid": True,
        "attempts_left": 4,
        "channel": "email",
        "to": "ana@example.com",
        "purpose": "sign_in",
        "proof": None,
        "test": False,
    }
    assert check(verification_id).body == NO


def test_a_wrong_code_says_how_many_attempts_are_left() -> None:
    verification_id = stored()
    assert [check(verification_id, "000000").body for _ in range(4)] == [
        NO | {"attempts_left": left} for left in (4, 3, 2, 1)
    ]
    assert check(verification_id).body["valid"] is True


def test_after_the_last_attempt_the_right_code_is_not_valid_either() -> None:
    verification_id = stored()
    for _ in range(5):
        check(verification_id, "000000")
    assert check(verification_id).body == NO
    assert Verification.get(verification_id).attempts == 5


def test_the_last_attempt_can_still_be_right() -> None:
    assert check(stored(attempts=4)).body["valid"] is True


@pytest.mark.parametrize("code", [CODE, "000000"])
@pytest.mark.parametrize("state", ["expired", "exhausted", "spent", "unknown", "unknown key"])
def test_unknown_expired_spent_and_exhausted_answer_alike_after_the_same_work(
    state: str, code: str, dynamodb_requests: list[str]
) -> None:
    verification_id = "k9.example" if state == "unknown key" else "k1.example"
    changes: dict[str, dict[str, Any]] = {
        "expired": {"expires_at": 1},
        "exhausted": {"attempts": 5},
        "spent": {"last_mac": code_keys().mac(verification_id, CODE)},
    }
    if state in changes:
        stored(verification_id=verification_id, **changes[state])
    dynamodb_requests.clear()
    assert check(verification_id, code).body == NO
    assert dynamodb_requests == ["UpdateItem"]


@pytest.mark.parametrize("code", [CODE, "000000"])
def test_a_check_is_1_dynamodb_request_right_or_wrong(
    code: str, dynamodb_requests: list[str]
) -> None:
    verification_id = stored()
    dynamodb_requests.clear()
    check(verification_id, code)
    assert dynamodb_requests == ["UpdateItem"]


def test_a_code_expires_at_its_second() -> None:
    verification_id = stored(expires_at=1000)
    mac = code_keys().mac(verification_id, CODE)
    assert checking.check(verification_id, mac, now=1000) == checking.REJECTED
    assert checking.check(verification_id, mac, now=999.9).valid


def test_a_write_that_the_sdk_repeats_does_not_turn_right_into_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first try's answer was lost. The second try finds what the first one wrote."""
    monkeypatch.setattr("secrets.token_hex", lambda _: "one-check")
    verification_id = stored()
    mac = code_keys().mac(verification_id, CODE)
    assert checking.check(verification_id, mac, now=1).valid
    assert checking.check(verification_id, mac, now=1).valid
    monkeypatch.setattr("secrets.token_hex", lambda _: "another-check")
    assert not checking.check(verification_id, mac, now=1).valid


@pytest.mark.parametrize(
    "typed", ["123 456", "123-456", " 123456", "\u200e123456.", "code: 123456"]
)
def test_usual_forms_of_a_code_are_accepted(typed: str) -> None:
    """tests/unit/test_codes.py has all forms."""
    assert check(stored(), typed).body["valid"] is True


@pytest.mark.parametrize("typed", ["1", "12", "   ", "null", "12345", "1234567", "code:"])
def test_a_malformed_code_is_refused_and_charges_nothing(
    typed: str, dynamodb_requests: list[str]
) -> None:
    verification_id = stored()
    dynamodb_requests.clear()
    reply = check(verification_id, typed)
    assert (reply.status, reply.body["code"], reply.body["errors"][0]["pointer"]) == (
        422,
        "invalid_parameters",
        "/code",
    )
    assert dynamodb_requests == []
    assert check(verification_id).body["attempts_left"] == 4


def test_a_code_may_come_as_a_json_number() -> None:
    verification_id = stored()
    reply = call(verify_check, f'{{"verification_id": "{verification_id}", "code": {CODE}}}')
    assert (reply.status, reply.body["valid"]) == (200, True)


@pytest.mark.parametrize("number", ["1.23456e5", "123456.0", "123456e0", "1E6"])
def test_a_number_that_may_have_lost_digits_is_refused_and_charges_nothing(number: str) -> None:
    verification_id = stored()
    reply = call(verify_check, f'{{"verification_id": "{verification_id}", "code": {number}}}')
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/code")
    assert check(verification_id).body["attempts_left"] == 4


def test_a_number_that_has_lost_a_zero_is_refused_with_why_and_charges_nothing() -> None:
    verification_id = stored()
    reply = check(verification_id, 12345)  # 012345
    assert reply.status == 422
    assert "loses the zeros that a code begins with, so send text" in reply.body["detail"]
    assert "loses the zeros" not in check(verification_id, "12345").body["detail"]
    assert check(verification_id).body["attempts_left"] == 4


def test_a_malformed_code_reveals_nothing_about_the_verification() -> None:
    """The answer is the same whether or not the verification exists."""
    there, invented = stored(), code_keys().new_verification_id()
    assert [check(each, "1").body["detail"] for each in (there, invented)] == [
        check(there, "1").body["detail"]
    ] * 2


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"code": CODE}, "/verification_id"),
        ({"verification_id": "k1.x"}, "/code"),
        ({"verification_id": "k1.x", "code": 123456.0}, "/code"),
        ({"verification_id": "k1.x", "code": -123456}, "/code"),
        ({"verification_id": "k1.x", "code": True}, "/code"),
        ({"verification_id": "k1.x", "code": [123456]}, "/code"),
        ({"verification_id": "k1.x", "code": None}, "/code"),
        ({"verification_id": "k1.x", "code": ""}, "/code"),
        ({"verification_id": "k1.x", "code": "1" * 257}, "/code"),
        ({"verification_id": "../x", "code": CODE}, "/verification_id"),
        ({"verification_id": "k1.x\n", "code": CODE}, "/verification_id"),
        ({"verification_id": "x" * 65, "code": CODE}, "/verification_id"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, Any], pointer: str) -> None:
    reply = call(verify_check, parameters)
    assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (422, [pointer])


def test_an_unreachable_database_is_a_503_and_charges_no_attempt(settings: Settings) -> None:
    verification_id = stored()
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    reply = check(verification_id)
    assert (reply.status, reply.body["code"], reply.headers["retry-after"]) == (
        503,
        "unavailable",
        "5",
    )
    settings.unset("AWS_ENDPOINT_URL_DYNAMODB")
    assert check(verification_id).body["attempts_left"] == 4


def test_checks_are_counted_valid_and_invalid(capfd: pytest.CaptureFixture[str]) -> None:
    verification_id = stored()
    check(verification_id, "000000")
    check(verification_id)
    metrics = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    counted = [each for each in metrics if each.keys() & {"CheckValid", "CheckInvalid"}]
    assert [line.get("CheckInvalid", 0) for line in counted] == [[1.0], 0]
    assert [line.get("CheckValid", 0) for line in counted] == [0, [1.0]]
    assert [line["WrongOverRight"] for line in metrics if line not in counted] == [[1.0], [-1.0]]


def test_the_condition_of_a_check_is_that_of_a_resend() -> None:
    """One stands as a constant text, the other is PynamoDB's."""
    names: dict[str, str] = {}
    text = Verification.can_be_tried(1.5).serialize(names, {}).translate({40: None, 41: None})
    for name, placeholder in names.items():
        text = text.replace(placeholder, name)
    assert text.replace(":0", ":now") == checking.CAN_BE_TRIED


def test_a_check_stores_what_pynamodb_reads() -> None:
    verification_id = stored()
    check(verification_id, "000000")
    kept = Verification.get(verification_id)
    assert kept.last_mac == code_keys().mac(verification_id, "000000")
    assert kept.attempts == 1
    assert isinstance(kept.checked_at, float)
    assert len(str(kept.last_check)) == 16
