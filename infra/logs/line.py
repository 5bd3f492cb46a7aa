"""Log lines, parsed from CloudWatch Logs events."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

_PLATFORM = re.compile(
    r"(START|END|REPORT|INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|EXTENSION)\b(?!.*Status:)"
)
"""Lambda's own lines; they add nothing to ours unless they have a status, such as a timeout."""
_FAULT = re.compile(
    r"\[ERROR\]|Traceback \(most recent call last\)|Task timed out|Runtime\.|Runtime exited|"
    r"Worker process|Status: (timeout|error)"
)
_SHOWN_APART = frozenset({"level", "message", "timestamp", "exception"})
_REPETITION = frozenset({"service", "location", "exception_name", "stack_trace", "xray_trace_id"})
_FILE = re.compile(r'File "[^"]*?/(?:site-packages/|(?=functions/))([^"]+)"')

LogEvent = Mapping[str, Any]
"""One event of `filter_log_events`."""


class Source(NamedTuple):
    """One function's log group."""

    group: str
    name: str
    """The function's name without the stack's."""
    workflow: str | None = None
    """The workflow's name, if the function is a workflow's."""


class Line(NamedTuple):
    """One log line, or several that were printed at once."""

    source: Source
    at_ms: int
    level: str
    message: str
    keys: dict[str, Any]
    traceback: str = ""

    @property
    def about(self) -> str:
        """Name of the called workflow, or else of the function."""
        return str(self.keys.get("workflow") or self.source.workflow or self.source.name)


def source_of(group: str, stack: str) -> Source:
    """The function of a stack that owns a log group."""
    name = group.rpartition("/")[2].removeprefix(f"{stack}-")
    workflow = name.removeprefix("wf-") if name.startswith("wf-") else None
    return Source(group, workflow or name, workflow)


def read_lines(source: Source, events: Iterable[LogEvent]) -> Iterator[Line]:
    """Lines in a group's events, without metrics and Lambda's own lines.

    Unstructured text that was written at once is one line: an emulator keeps each row of a
    traceback as an event of its own.
    """
    block: list[LogEvent] = []
    for event in events:
        if block and (
            _is_ours(event) or _is_platform(event) or _moment(event) != _moment(block[0])
        ):
            yield _text_line(source, block)
            block = []
        if _is_ours(event):
            yield from _own_line(source, event)
        elif not _is_platform(event):
            block.append(event)
    if block:
        yield _text_line(source, block)


def _own_line(source: Source, event: LogEvent) -> Iterator[Line]:
    values = json.loads(event["message"])
    if "_aws" in values:
        return
    keys = {name: value for name, value in values.items() if name not in _SHOWN_APART | _REPETITION}
    message, traceback = str(values.get("message", "")), str(values.get("exception", ""))
    yield Line(
        source,
        event["timestamp"],
        str(values.get("level", "INFO")),
        message,
        keys,
        _with_own_paths(traceback),
    )


def _text_line(source: Source, block: list[LogEvent]) -> Line:
    text = "\n".join(event["message"].rstrip() for event in block)
    level = "ERROR" if _FAULT.search(text) else "INFO"
    first, _, rest = _with_own_paths(text).partition("\n")
    return Line(source, block[0]["timestamp"], level, first, {}, rest)


def _is_ours(event: LogEvent) -> bool:
    if not event["message"].startswith("{"):
        return False
    try:
        return isinstance(json.loads(event["message"]), dict)
    except (ValueError, RecursionError):
        return False


def _is_platform(event: LogEvent) -> bool:
    # Powertools writes null for a metric that it refuses.
    return event["message"].strip() in {"", "null"} or bool(_PLATFORM.match(event["message"]))


def _moment(event: LogEvent) -> tuple[str, int]:
    return event.get("logStreamName", ""), event["timestamp"]


def _with_own_paths(text: str) -> str:
    """Replaces paths in Lambda by paths in this repository, which an editor can open.

    Those of installed packages begin with the package.
    """
    return _FILE.sub(r'File "\1"', text)
