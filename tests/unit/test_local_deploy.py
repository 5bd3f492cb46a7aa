"""Deployments into the emulator: the mark of what is deployed, and the authorizer's start."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError
from moto import mock_aws

from infra.local import mark
from infra.local.authorizer import start_authorizer
from infra.local.deploy import Deployment
from infra.local.development import SECRET

AT = "2026-11-27T09:00:00+00:00"
"""Time of the stack's last change."""
ORIGINS = ["https://app.example.com"]


class FakeEmulator:
    """Emulator whose secrets are moto's, and whose Lambda keeps what it is invoked with."""

    def __init__(self, ready: threading.Event | None = None) -> None:
        self._ready = ready
        self.invoked: list[dict[str, Any]] = []
        self.error: Exception | None = None

    def client(self, service: str) -> Any:
        return self if service == "lambda" else boto3.client("secretsmanager")

    def invoke(self, **call: Any) -> None:
        assert self._ready
        self.invoked.append(call | {"calls_wait": not self._ready.is_set()})
        if self.error:
            raise self.error


@pytest.fixture
def emulator() -> Iterator[FakeEmulator]:
    with mock_aws():
        yield FakeEmulator()


def test_the_mark_names_just_what_was_deployed_and_checked(emulator: Any) -> None:
    template: dict[str, Any] = {"Resources": {}}
    parameters = {"Stage": "local"}
    wanted = mark.digest(template, parameters)
    assert mark.origins(emulator, wanted, AT) is None
    for _ in range(2):
        mark.forget(emulator)
        assert mark.origins(emulator, wanted, AT) is None
        mark.remember(emulator, wanted, AT, ORIGINS)
        assert mark.origins(emulator, wanted, AT) == ORIGINS
    assert mark.origins(emulator, mark.digest(template, {"Stage": "test"}), AT) is None
    assert mark.origins(emulator, mark.digest({"Resources": {"New": {}}}, parameters), AT) is None


def test_the_mark_does_not_hold_after_a_change_that_left_it_as_it_was(emulator: Any) -> None:
    """A deployer that knows no mark, such as an earlier commit, has changed the stack since."""
    wanted = mark.digest({"Resources": {}}, {})
    mark.forget(emulator)
    mark.remember(emulator, wanted, AT, ORIGINS)
    assert mark.origins(emulator, wanted, "2026-11-27T09:00:01+00:00") is None


@pytest.mark.parametrize("error", [None, ConnectionClosedError(endpoint_url="http://127.0.0.1")])
def test_calls_with_a_token_wait_while_the_authorizer_starts(error: Exception | None) -> None:
    ready = threading.Event()
    ready.set()
    emulator: Any = FakeEmulator(ready)
    emulator.error = error
    start_authorizer(Deployment(emulator, {}), ready)
    (call,) = emulator.invoked
    assert (call["FunctionName"], call["calls_wait"]) == ("local-authorize", True)
    assert SECRET in json.loads(call["Payload"])["headers"]["authorization"]
    assert ready.is_set()
