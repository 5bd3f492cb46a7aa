"""Reports what the functions' logs say of errors, denied permissions, webhooks and schedules that
start nothing.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.deploy import STACK
from infra.local.emulator import Emulator
from infra.local.terminal import say
from infra.logs.denied import find_denied
from infra.logs.filters import LineFilter
from infra.logs.line import Line, Source
from infra.logs.reading import Tail
from infra.logs.sources import local_sources
from infra.logs.text import Tone

_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 2.0
"""Pauses between reads, each of which costs the emulator a millisecond for every function."""
_SHARE = 10
"""A pause is at least this many times the duration of the read before it."""
_SOURCES_SECONDS = 5.0
_LATE_MS = 2_000
_ERRORS = {"ERROR", "CRITICAL"}
_TRIES_AGAIN = "functions.core.triggers.run_item.WillTryAgain"
"""Raised to Step Functions by an item that will be retried."""


def report_errors(emulator: Emulator, since_ms: int, happened: Event) -> None:
    """Prints faults until the emulator stops. `happened` ends a pause early."""
    tail = Tail(emulator.client("logs"), LineFilter(), since_ms, _LATE_MS)
    sources: list[Source] = []
    read_until = 0.0
    while True:
        started = time.monotonic()
        if started > read_until:
            # While the emulator is busy or stopping, the sources stay as they were.
            with suppress(ClientError, BotoCoreError):
                sources, read_until = (
                    local_sources(emulator.client("lambda"), STACK),
                    started + _SOURCES_SECONDS,
                )
        for line in tail.new(sources):
            for text, tone in reports(line):
                say(text, tone)
        pause = max(_SHORTEST_PAUSE_SECONDS, _SHARE * (time.monotonic() - started))
        time.sleep(pause)
        happened.wait(max(0.0, _LONGEST_PAUSE_SECONDS - pause))
        happened.clear()


def reports(line: Line) -> Iterator[tuple[str, Tone]]:
    """Texts about a faulty line; none for any other line."""
    if repeats(line):
        return
    if denied := find_denied(f"{line.message}\n{line.traceback}"):
        yield f"{line.about}: {denied}", "error"
    if line.level in _ERRORS:
        yield f"ERROR {line.about}: {_summary(line)}\n{line.traceback}".rstrip(), "error"
    elif line.level == "WARNING" and (text := _unseen(line)):
        yield text, "warning"


def _unseen(line: Line) -> str:
    """Warning about what no client is told yet: a step that failed, a delivery of a webhook, or a
    due schedule; empty for others.
    """
    keys = line.keys
    if "step" in keys:
        why = line.traceback.rpartition("\n")[2].partition(": ")[2]
        return f"{line.about}: {line.message}: {keys['step']} ({keys.get('code')}) {why}".rstrip()
    if line.source.name == "schedules" and "schedule_id" in keys:
        why = f" ({keys['reason']})" if "reason" in keys else ""
        return f"schedule {keys['schedule_id']}: {line.message}{why}"
    if line.source.name != "webhooks":
        return ""
    source = keys.get("source", "unknown source")
    kept = keys.get("delivery_id")
    why = f" (GET /webhooks/{source}/deliveries/{kept} says why)" if kept else ""
    return f"webhook of {source}: {line.message}{why}"


def repeats(line: Line) -> bool:
    """True for what Lambda logs of an item that will be retried; its own line says the reason."""
    return _TRIES_AGAIN in line.traceback + line.message


def _summary(line: Line) -> str:
    """Message, status and code, and the command that shows all lines of the call."""
    status = " ".join(str(line.keys[key]) for key in ("status", "code") if key in line.keys)
    request = line.keys.get("request_id")
    hint = f"(make logs REQUEST={request})" if request else ""
    return " ".join(part for part in (line.message, status, hint) if part)
