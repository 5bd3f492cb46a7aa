"""Ends items' waits for events when their time is over.

Step Functions does so by TimeoutSecondsPath, which the emulator ignores: an item would wait for its
event forever. Listeners (functions/core/runs/items/event_box.py) are known by their table's stream.
"""

import time
from contextlib import suppress
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.emulator import Emulator
from infra.local.runs.changes import Change, watch_changes

_LISTENER = "listener "
"""Beginning of the keys of listeners."""


class Listener(NamedTuple):
    """A record of an item that waits for an event."""

    address: str
    place: str
    until: float
    """End of the wait, seconds since the epoch."""
    token: str
    """Task token of Step Functions."""


class Waits:
    """The waits that are under way."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[str, str], Listener] = {}

    def note(self, change: Change) -> None:
        """Takes a change of the table into account."""
        address, place = change["Keys"]["run_id"]["S"], change["Keys"]["index"]["N"]
        if not address.startswith(_LISTENER):
            return
        self._listeners.pop((address, place), None)
        if listener := change.get("NewImage"):
            until, token = float(listener["lease_until"]["N"]), listener["step"]["S"]
            self._listeners[address, place] = Listener(address, place, until, token)

    def overdue(self, now: float) -> list[Listener]:
        """Those whose time is over."""
        return [each for each in self._listeners.values() if each.until <= now]

    def forget(self, listener: Listener) -> None:
        """Drops one that has ended."""
        self._listeners.pop((listener.address, listener.place), None)


def end_overdue_waits(emulator: Emulator, table: str) -> None:
    """Ends each wait within a second after its time; never ends itself."""
    waits = Waits()
    for changes in watch_changes(emulator, table):
        for change in changes:
            waits.note(change)
        for listener in waits.overdue(time.time()):
            with suppress(ClientError, BotoCoreError):  # the next round tries again
                _end(emulator, table, listener)
                waits.forget(listener)


def _end(emulator: Emulator, table: str, listener: Listener) -> None:
    tasks, dynamodb = emulator.client("stepfunctions"), emulator.client("dynamodb")
    # An event has woken the item already, or it listened at several addresses.
    with suppress(tasks.exceptions.TaskDoesNotExist, tasks.exceptions.TaskTimedOut):
        tasks.send_task_failure(taskToken=listener.token, error="States.Timeout")
    # A later wait of the item may have the same place by now.
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.delete_item(
            TableName=table,
            Key={"run_id": {"S": listener.address}, "index": {"N": listener.place}},
            ConditionExpression="step = :token",
            ExpressionAttributeValues={":token": {"S": listener.token}},
        )
