"""Rotation of the code keys, as verify_send and verify_check live through it in processes that go on running."""

import json

import pytest

from functions.core import config
from functions.core.aws import secrets
from functions.core.verification import codes
from functions.core.verification.settings import VerificationSettings
from functions.workflows.verify_check.handler import lambda_handler as verify_check
from functions.workflows.verify_send.handler import lambda_handler as verify_send
from tests.builders import call
from tests.clock import Clock
from tests.workflows.conftest import admin
from tests.workflows.test_verify_send import last_code

pytestmark = pytest.mark.usefixtures("cloud")


def send(to: str = "ana@example.com") -> tuple[str, str]:
    verification_id = call(verify_send, {"channel": "email", "to": to}).body["verification_id"]
    return verification_id, last_code()


def is_valid(verification_id: str, code: str) -> bool:
    return bool(
        call(verify_check, {"verification_id": verification_id, "code": code}).body["valid"]
    )


def rotate(**keys: str) -> None:
    secret_id = config.read(VerificationSettings).code_keys_secret
    admin("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=json.dumps(keys))


def test_a_code_sent_before_a_rotation_stays_valid(clock: Clock) -> None:
    before = send()
    rotate(current="k2", k1="a" * 64, k2="c" * 64)
    clock.advance(301)
    after = send("bo@example.com")
    assert after[0].startswith("k2.")
    assert is_valid(*before)
    assert is_valid(*after)


def test_a_check_that_meets_a_newer_key_reads_the_keys_again(clock: Clock) -> None:
    """verify_send's process has the new key already, verify_check's read the keys a minute ago."""
    codes.code_keys()
    rotate(current="k2", k1="a" * 64, k2="c" * 64)
    newer = codes.CodeKeys.from_json(json.dumps({"current": "k2", "k2": "c" * 64}))
    clock.advance(60)
    assert codes.code_keys("k2.x").mac("k2.x", "123456") == newer.mac("k2.x", "123456")


def test_invented_key_ids_do_not_make_a_call_each(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    fetch = secrets.Secret._fetch

    def noted(self: secrets.Secret, known: str | None) -> str:
        reads.append("read")
        return fetch(self, known)

    monkeypatch.setattr(secrets.Secret, "_fetch", noted)
    for number in range(20):
        codes.code_keys(f"k{number}x.y")
    assert reads == ["read"]
    clock.advance(11)
    for number in range(20):
        codes.code_keys(f"k{number}x.y")
    assert reads == ["read", "read"]
