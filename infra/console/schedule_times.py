"""Times of schedules, as the product's own engine computes them (functions/api/schedules/)."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice, takewhile

import msgspec
from botocore.exceptions import ClientError

from functions.core.clock import rfc3339
from functions.core.errors import InvalidParameters
from functions.core.parameters import read_parameters
from functions.core.schedules.definition import Definition, key_of
from functions.core.schedules.schedule import run_id_of
from functions.core.schedules.times.timing import Timing, TimingParameters, read_timing
from infra.console.answer import Refused
from infra.console.routes import Request
from infra.local.deploy import Deployment

_TIMES = 10
_SPANS = [timedelta(minutes=10), timedelta(hours=4), timedelta(days=3), timedelta(days=62)]
"""Spans before now in which the last times are looked for; after them, all of the schedule."""

_DECODER = msgspec.json.Decoder(Definition)
"""Made once, as in functions/api/schedules/definition.py."""


def of_timing(request: Request) -> dict[str, object]:
    """Next times of the timing in the query, which has fields of `POST /schedules`; or errors."""
    now = datetime.now(UTC)
    try:
        timing = read_timing(read_parameters(TimingParameters, request.query, strict=False), now)
    except InvalidParameters as error:
        return {"times": [], "errors": [each._asdict() for each in error.errors]}
    return {"times": _texts(_times_after(timing, now)), "errors": []}


def of_schedule(deployment: Deployment, schedule_id: str) -> dict[str, object]:
    """A schedule's next times, its last ones with the ids of their runs, and its definition.

    A run whose time passed while the schedule was paused does not exist.
    """
    definition, now = _find(deployment, schedule_id), datetime.now(UTC)
    timing = definition.timing
    return {
        "times": _texts(_times_after(timing, now)),
        "runs": [
            {"at": rfc3339(at), "run_id": run_id_of(definition, at)}
            for at in _last_times(timing, definition.created_at, now)
        ],
        "parameters": definition.parameters,
        "created_at": rfc3339(definition.created_at),
        "ends_at": rfc3339(timing.ends_at) if timing.ends_at else None,
    }


def _times_after(timing: Timing, moment: datetime) -> Iterator[datetime]:
    while time := timing.next_after(moment):
        yield time
        moment = time


def _last_times(timing: Timing, since: datetime, now: datetime) -> list[datetime]:
    """The last times until now, newest first. Longer spans are only tried where times are rare."""
    last: deque[datetime] = deque(maxlen=_TIMES)
    for start in [*(now - span for span in _SPANS), since]:
        times = _times_after(timing, max(start, since))
        last = deque(takewhile(lambda time: time <= now, times), maxlen=_TIMES)
        if len(last) == _TIMES or start <= since:
            break
    return list(reversed(last))


def _texts(times: Iterator[datetime]) -> list[str]:
    return [rfc3339(time) for time in islice(times, _TIMES)]


def _find(deployment: Deployment, schedule_id: str) -> Definition:
    bucket = deployment.outputs["RunsBucket"]
    try:
        found = deployment.emulator.client("s3").get_object(Bucket=bucket, Key=key_of(schedule_id))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        message = "This schedule does not exist, or no longer."
        raise Refused(HTTPStatus.NOT_FOUND, message) from None
    return _DECODER.decode(found["Body"].read())
