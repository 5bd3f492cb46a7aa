"""Names the runs that a restart of the local stack has ended, once each.

Step Functions keeps executions. The emulator ends those that run when it stops
(`States.ServiceRestart`), and tells nobody. So the platform is told here, as EventBridge does on
AWS, and closes their records. A retry goes on with the steps, at the times that were set.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from infra.local.deploy import STACK, Deployment
from infra.local.development import SECRET
from infra.local.terminal import say

_MOST_SHOWN = 20
_UNITS = ((86_400, "days"), (3600, "h"), (60, "min"))

Record = Mapping[str, Any]
"""In DynamoDB's JSON."""


class Pause(NamedTuple):
    """A wait of an item."""

    kind: str
    """sleep, wait_for or run; step: a pause between its tries."""
    name: str
    began: float
    """Seconds since the epoch, as the next."""
    until: float | None


class EndedRun(NamedTuple):
    """A run that a restart has ended."""

    run_id: str
    total: int
    waiting: int
    """Number of items that waited."""
    pause: Pause | None
    """Wait of the only item."""


def report_ended_runs(deployment: Deployment, url: str) -> None:
    """Closes the runs that the restart has ended, and prints a line for each."""
    for number, run in enumerate(_ended_runs(deployment)):
        if number < _MOST_SHOWN:
            say(ending_line(run, url, time.time()), "warning")
        elif number == _MOST_SHOWN:
            say(f"the restart has ended more runs; {url}/console/runs lists them", "warning")


def ending_line(run: EndedRun, url: str, now: float) -> str:
    """Line with the run and its wait, and the command that goes on with it."""
    workflow = run.run_id.partition(".")[0]
    command = f"curl -X POST {url}/runs/{run.run_id}/retry -H 'authorization: Bearer {SECRET}'"
    return (
        f"{workflow}: the restart has ended the run {run.run_id}, {_doing(run, now)}. "
        f"To go on with it:\n{command}"
    )


def _doing(run: EndedRun, now: float) -> str:
    if run.total > 1:
        return f"in which {run.waiting} of {run.total} items waited"
    if run.pause is None:
        return "whose item was at work"
    kind, name, began, until = run.pause
    end = f" until {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(until))}" if until else ""
    return f"which had begun to wait {_length(now - began)} ago ({kind} {name!r}{end})"


def _length(seconds: float) -> str:
    unit, name = next((each for each in _UNITS if seconds >= 2 * each[0]), (1, "s"))
    return f"{seconds // unit:.0f} {name}"


def _ended_runs(deployment: Deployment) -> Iterator[EndedRun]:
    """Those that were under way according to their records, and are not."""
    database = _Database(deployment)
    for record in database.running():
        _tell_end(deployment, record["run_id"]["S"])
        if database.status(record) == "failed":
            yield database.ended(record)


def _tell_end(deployment: Deployment, run_id: str) -> None:
    """Sends what EventBridge sends; a run that is under way stays so."""
    event = {"source": "aws.states", "detail": {"name": run_id, "status": "FAILED"}}
    deployment.emulator.client("lambda").invoke(
        FunctionName=f"{STACK}-runs", Payload=json.dumps(event)
    )


class _Database:
    """Records of runs and of their items."""

    def __init__(self, deployment: Deployment) -> None:
        self._dynamodb = deployment.emulator.client("dynamodb")
        self._runs = deployment.outputs["RunsTable"]
        self._outcomes = deployment.outputs["OutcomesTable"]

    def running(self) -> list[Record]:
        """Records of runs that have not ended."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._runs,
            FilterExpression="#status = :running",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":running": {"S": "running"}},
        )
        return [record for page in pages for record in page["Items"]]

    def status(self, record: Record) -> str:
        """Status of a run now."""
        key = {"run_id": record["run_id"]}
        return str(self._dynamodb.get_item(TableName=self._runs, Key=key)["Item"]["status"]["S"])

    def ended(self, record: Record) -> EndedRun:
        """What an ended run was doing."""
        begun = json.loads(record["execution"]["S"])
        run_id, total = record["run_id"]["S"], int(record["total"]["N"])
        waiting = [
            each for each in self._of(run_id) if each.get("status", {}).get("S") == "waiting"
        ]
        item = f"{begun['origin_run_id']}/{begun['reference']['index']}"
        pause = self._pause(item) if total == 1 and waiting else None
        return EndedRun(run_id, total, len(waiting), pause)

    def _pause(self, item: str) -> Pause | None:
        steps = [json.loads(each["step"]["S"]) for each in self._of(item)]
        return next(
            (
                Pause(step["kind"], step["name"], step["started_at"], step["until"])
                for step in steps
                if step["status"] == "waiting"
            ),
            None,
        )

    def _of(self, key: str) -> Iterator[Record]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._outcomes,
            KeyConditionExpression="run_id = :key",
            ExpressionAttributeValues={":key": {"S": key}},
        )
        for page in pages:
            yield from page["Items"]
