"""Deployments into the emulator: the mark of what is deployed, and the authorizer's start."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.local import mark
from infra.local.authorizer import start_authorizer
from infra.local.deploy import Deployment
from infra.local.development import SECRET
from infra.local.gate import Gate

ORIGINS = ["https://app.example.com"]


class FakeEmulator:
    """Emulator whose secrets are moto's, and whose Lambda keeps what it is invoked with."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate
        self.invoked: list[dict[str, Any]] = []

    def client(self, service: str) -> Any:
        return self if service == "lambda" else boto3.client("secretsmanager")

    def invoke(self, **call: Any) -> None:
        assert self._gate
        self.invoked.append(call | {"calls_wait": self._gate._is_closed})


@pytest.fixture
def emulator() -> Iterator[FakeEmulator]:
    with mock_aws():
        yield FakeEmulator()


def test_the_mark_names_just_what_was_deployed_and_checked(emulator: Any) -> None:
    template: dict[str, Any] = {"Resources": {}}
    parameters = {"Stage": "local"}
    wanted = mark.digest(template, parameters)
    assert mark.origins(emulator, wanted) is None
    for _ in range(2):
        mark.forget(emulator)
        assert mark.origins(emulator, wanted) is None
        mark.remember(emulator, wanted, ORIGINS)
        assert mark.origins(emulator, wanted) == ORIGINS
    assert mark.origins(emulator, mark.digest(template, {"Stage": "test"})) is None
    assert mark.origins(emulator, mark.digest({"Resources": {"New": {}}}, parameters)) is None


def test_calls_wait_while_the_authorizer_starts() -> None:
    gate = Gate()
    emulator: Any = FakeEmulator(gate)
    start_authorizer(Deployment(emulator, {}), gate)
    (call,) = emulator.invoked
    assert (call["FunctionName"], call["calls_wait"]) == ("local-authorize", True)
    assert SECRET in json.loads(call["Payload"])["headers"]["authorization"]
    passing = threading.Event()
    with gate.call():
        passing.set()
    assert passing.is_set()
