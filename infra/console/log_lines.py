"""Log lines of a request or a run, as JSON."""

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from infra.console.answer import Refused
from infra.local.captured import utc
from infra.local.deploy import STACK
from infra.local.emulator import Emulator
from infra.local.watch import repeats
from infra.logs.filters import LineFilter
from infra.logs.line import Line
from infra.logs.reading import read
from infra.logs.sources import local_sources

_DAY_MS = 86_400_000
_DAYS_MS = 8 * _DAY_MS
"""Time span that is read: a run logs for at most 7 days."""
_EARLIER_MS = 60_000
"""How long before its answer a request may have logged its first line."""


def of_request(
    emulator: Emulator, request_id: str, answered_at: str | None = None
) -> list[dict[str, Any]]:
    """Lines of a request, oldest first.

    Args:
        emulator: has the logs.
        request_id: of the request.
        answered_at: time of its answer, which makes the search shorter.
    """
    start_ms = _now_ms() - _DAYS_MS
    if answered_at:
        start_ms = int(datetime.fromisoformat(answered_at).timestamp() * 1000) - _EARLIER_MS
    return [_shown(line) for line in _read(emulator, LineFilter(request=request_id), start_ms)]


def of_run(emulator: Emulator, run_id: str, index: str = "") -> list[dict[str, Any]]:
    """Lines of a run, or of one of its items, oldest first."""
    lines = _read(emulator, LineFilter(run=run_id), _now_ms() - _DAYS_MS)
    item_id = f"{run_id}/{index}"
    return [_shown(line) for line in lines if not index or line.keys.get("item_id") == item_id]


def of_workflow(emulator: Emulator, workflow: str) -> list[dict[str, Any]]:
    """Lines of the last day that a workflow's own function logged, oldest first."""
    sources = local_sources(emulator.client("lambda"), STACK)
    own = [source for source in sources if source.workflow == workflow]
    logs, now_ms = emulator.client("logs"), _now_ms()
    lines = read(logs, own, LineFilter(), now_ms - _DAY_MS, now_ms + _EARLIER_MS)
    return [_shown(line) for line in lines]


def _read(emulator: Emulator, line_filter: LineFilter, start_ms: int) -> list[Line]:
    try:
        line_filter.refuse_invalid()
    except ValueError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
    sources = local_sources(emulator.client("lambda"), STACK)
    end_ms = _now_ms() + _EARLIER_MS
    lines = read(emulator.client("logs"), sources, line_filter, start_ms, end_ms)
    return [line for line in lines if not repeats(line)]


def _shown(line: Line) -> dict[str, Any]:
    return {
        "at": utc(datetime.fromtimestamp(line.at_ms / 1000, UTC)),
        "level": line.level,
        "about": line.about,
        "message": line.message,
        "keys": line.keys,
        "traceback": line.traceback,
    }


def _now_ms() -> int:
    return int(time.time() * 1000)
