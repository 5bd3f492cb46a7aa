"""Log lines as text: time, level, workflow, message and keys, and the traceback below."""

import os
import re
import time
from typing import Any, Literal, TextIO

from infra.logs.line import Line

Tone = Literal["error", "warning", "quiet", "plain"]

_CODES: dict[Tone, str] = {"error": "31", "warning": "33", "quiet": "2", "plain": ""}
_TONES: dict[str, Tone] = {
    "CRITICAL": "error",
    "ERROR": "error",
    "WARNING": "warning",
    "DEBUG": "quiet",
}
_FIRST = ("trigger", "status", "code", "request_id")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, which must not reach the terminal from a log line."""


def is_coloured(stream: TextIO) -> bool:
    """True on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, tone: Tone, *, coloured: bool) -> str:
    """The text in a tone's colour, without control characters of its own."""
    text = _CONTROL.sub("�", text)
    return f"\x1b[{_CODES[tone]}m{text}\x1b[0m" if coloured and _CODES[tone] else text


def tone_of(line: Line) -> Tone:
    """Tone of a line's level."""
    return _TONES.get(line.level, "plain")


def shown(line: Line, *, coloured: bool = False) -> str:
    """Text of a line with its date, and its traceback indented below."""
    at = (
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(line.at_ms / 1000))
        + f".{line.at_ms % 1000:03d}"
    )
    head = painted(
        f"{at}  {line.level:<7}  {line.about}: {line.message}", tone_of(line), coloured=coloured
    )
    keys = painted(f"  {keys_of(line)}", "quiet", coloured=coloured) if line.keys else ""
    return head + keys + painted(indented(line.traceback, 4), tone_of(line), coloured=coloured)


def keys_of(line: Line) -> str:
    """The line's keys that are not empty; the most useful come first."""
    rest = [name for name in line.keys if name not in {*_FIRST, "workflow"}]
    pairs = [(name, line.keys.get(name)) for name in (*_FIRST, *rest)]
    return " ".join(
        f"{name}={_value(value)}" for name, value in pairs if value not in (None, "", [], {})
    )


def indented(text: str, spaces: int) -> str:
    """Rows of a text on indented lines of their own; empty for an empty text."""
    return "".join(f"\n{' ' * spaces}{row}" for row in text.splitlines())


def _value(value: Any) -> str:  # noqa: ANN401 - JSON
    return value if isinstance(value, str) else str(value)
