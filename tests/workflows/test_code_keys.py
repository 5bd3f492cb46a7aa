"""Rotation of the code keys while processes of verify_send and verify_check keep running."""

import json

import pytest

from functions.core import config
from functions.core.aws import secrets
from functions.core.verification import codes
from functions.core.verification.settings import VerificationSettings
from tests.builders.verifications import check, last_code, send
from tests.clock import Clock
from tests.workflows.conftest import admin

pytestmark = pytest.mark.usefixtures("cloud")


def rotate(**keys: str) -> None:
    secret_id = config.read(VerificationSettings).code_keys_secret
    admin("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=json.dumps(keys))


def test_a_code_sent_before_a_rotation_stays_valid(clock: Clock) -> None:
    before, code = send().body["verification_id"], last_code()
    rotate(current="k2", k1="a" * 64, k2="c" * 64)
    clock.advance(301)
    after = send("bo@example.com").body["verification_id"]
    assert after.startswith("k2.")
    assert check(before, code).body["valid"] is True
    assert check(after, last_code()).body["valid"] is True


def test_a_check_that_meets_a_newer_key_reads_the_keys_again(clock: Clock) -> None:
    """verify_send's process already has the new key; verify_check's read the keys a minute ago."""
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
