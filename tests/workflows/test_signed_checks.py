"""Checks that their client signs with an Idempotency-Key, so that a double submit is one check."""

import json
from typing import Any

import jwt
import pytest

from functions.core.verification import checking
from functions.core.verification.codes import code_keys
from functions.core.verification.record import Verification
from tests.builders import Reply, verifications
from tests.builders.verifications import CODE, last_code, send, stored
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = pytest.mark.usefixtures("cloud")

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
OTHER_KEY = "0c1b9d1e-7d0f-4a1c-9c55-0d6c0f2f8f11"


def check(verification_id: str, code: str = CODE, key: str = KEY, **options: Any) -> Reply:
    headers = {"idempotency-key": key} if key else {}
    return verifications.check(verification_id, code, headers=headers, **options)


def valid(*replies: Reply) -> list[bool]:
    return [reply.body["valid"] for reply in replies]


@pytest.mark.parametrize("kind", ["secret", "publishable"])
def test_the_same_key_with_the_right_code_gets_the_same_answer(
    kind: str, dynamodb_requests: list[str]
) -> None:
    verification_id = stored()
    dynamodb_requests.clear()
    first, again = (check(verification_id, kind=kind) for _ in range(2))
    assert valid(first) == [True]
    assert again.body == first.body
    assert dynamodb_requests == ["UpdateItem", "UpdateItem"]
    assert Verification.get(verification_id).attempts == 1


def test_a_repetition_is_not_counted_so_that_it_hides_no_guesses(
    capfd: pytest.CaptureFixture[str],
) -> None:
    verification_id = stored()
    for code in (CODE, CODE, CODE, "000000"):
        check(verification_id, code)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    assert [each["WrongOverRight"] for each in lines if "WrongOverRight" in each] == [[-1.0], [1.0]]
    assert sum("CheckValid" in each for each in lines) == 1


def test_the_last_attempt_can_be_repeated() -> None:
    verification_id = stored(attempts=4)
    assert valid(*(check(verification_id) for _ in range(3))) == [True] * 3


@pytest.mark.parametrize("other", [OTHER_KEY, KEY.upper(), KEY + "0", ""])
def test_another_key_or_none_with_the_right_code_is_a_second_check(other: str) -> None:
    verification_id = stored()
    assert valid(check(verification_id), check(verification_id, key=other)) == [True, False]


def test_the_key_of_another_token_is_another_key() -> None:
    verification_id = stored()
    tokens = ("a" * 16, "b" * 16, "a" * 16)
    answers = [check(verification_id, token_id=token) for token in tokens]
    assert valid(*answers) == [True, False, True]


def test_the_key_of_another_verification_is_another_key() -> None:
    first, second = stored(), stored()
    check(first)
    check(second, key=OTHER_KEY)
    assert valid(check(second), check(first)) == [False, True]


def test_the_same_key_with_a_wrong_code_is_wrong_after_the_right_one() -> None:
    verification_id = stored()
    check(verification_id)
    wrong = check(verification_id, "000000")
    assert (wrong.body["valid"], wrong.body["attempts_left"]) == (False, 0)
    assert valid(check(verification_id)) == [True]


def test_a_wrong_code_is_charged_each_time_whatever_its_key() -> None:
    verification_id = stored()
    left = [check(verification_id, "000000").body["attempts_left"] for _ in range(6)]
    assert left == [4, 3, 2, 1, 0, 0]
    assert valid(check(verification_id)) == [False]


def test_a_mistyped_code_and_then_the_right_one_may_have_the_same_key() -> None:
    verification_id = stored()
    assert valid(check(verification_id, "000000"), check(verification_id)) == [False, True]


def test_a_repetition_is_valid_for_as_long_as_the_code_would_be(clock: Clock) -> None:
    verification_id = stored(expires_at=clock() + 600)
    check(verification_id)
    clock.advance(599)
    assert valid(check(verification_id)) == [True]
    clock.advance(2)
    assert valid(check(verification_id)) == [False]


def test_a_code_that_another_send_has_ended_is_not_repeated() -> None:
    verification_id = send().body["verification_id"]
    code = last_code()
    assert valid(check(verification_id, code)) == [True]
    assert send(resend_of=verification_id).status == 200
    assert valid(check(verification_id, code)) == [False]


def test_a_code_that_a_send_to_elsewhere_has_ended_is_not_repeated() -> None:
    verification_id = send().body["verification_id"]
    code = last_code()
    assert valid(check(verification_id, code)) == [True]
    assert send("bo@example.com", resend_of=verification_id).status == 200
    assert valid(check(verification_id, code)) == [False]


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("123456789012345", "at least 16 characters"),
        ("k1.example-0123456789", "must not be the verification_id"),
        ("a b c d e f g h i j k", "1 to 255 printable ASCII characters"),
        ("x" * 256, "1 to 255 printable ASCII characters"),
    ],
)
@pytest.mark.parametrize("kind", ["secret", "publishable"])
def test_a_key_that_does_not_sign_is_refused_and_charges_nothing(
    key: str, why: str, kind: str, dynamodb_requests: list[str]
) -> None:
    verification_id = stored(verification_id="k1.example-0123456789")
    dynamodb_requests.clear()
    reply = check(verification_id, key=key, kind=kind)
    assert (reply.status, reply.body["code"]) == (400, "invalid_idempotency_key")
    assert why in reply.body["detail"]
    assert dynamodb_requests == []
    assert check(verification_id).body["attempts_left"] == 4


def test_sixteen_characters_sign_and_quotes_do_not_matter() -> None:
    verification_id = stored()
    keys = ("1234567890123456", '"1234567890123456"')
    assert valid(*(check(verification_id, key=key) for key in keys)) == [True, True]


def test_the_table_holds_nothing_of_the_key() -> None:
    verification_id = stored()
    check(verification_id)
    assert KEY not in str(admin("dynamodb").scan(TableName="local-verifications")["Items"])
    assert admin("dynamodb").scan(TableName="local-idempotency")["Items"] == []


@pytest.mark.parametrize("number", range(2))
def test_one_of_two_interleaved_checks_with_the_same_key_writes_and_both_are_valid(
    number: int,
) -> None:
    """e2e/test_storms.py has parallel ones."""
    verification_id = stored()
    mac = code_keys().mac(verification_id, CODE)
    marks = ("mine", "mine" if number else "another's")
    answers = [checking.check(verification_id, mac, 1, signature=mark) for mark in marks]
    assert [each.valid for each in answers] == [True, bool(number)]


@pytest.mark.slow
def test_a_repetition_has_a_proof_with_the_same_claims(clock: Clock, settings: Settings) -> None:
    """So a backend that keeps each jti until its exp accepts it once."""
    key = admin("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    settings.set(PROOF_KEYS=key["KeyMetadata"]["Arn"])
    verification_id = stored(nonce="n-1", expires_at=clock() + 600)
    first = proof_of(verification_id)
    clock.advance(300)
    assert proof_of(verification_id) == first
    assert first["exp"] - first["iat"] == 600
    other = proof_of(stored(nonce="n-1"))
    assert other["jti"] != first["jti"]
    assert len(first["jti"]) == len(other["jti"]) == 22


def proof_of(verification_id: str) -> dict[str, Any]:
    reply = check(verification_id, audience="https://api.example.com")
    claims: dict[str, Any] = jwt.decode(
        reply.body["proof"], options={"verify_signature": False}, algorithms=["ES256"]
    )
    return json.loads(json.dumps(claims))  # type: ignore[no-any-return]
