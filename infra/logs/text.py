"""Lines as a person reads them: time, level, workflow, what happened, its keys, and the traceback below."""

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
"""What a log line holds came from anywhere; none of it may steer the terminal."""


def is_coloured(stream: TextIO) -> bool:
    """Whether colours are wanted there: on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, tone: Tone, *, coloured: bool) -> str:
    """The text in a tone's colour; no control character of its own is left."""
    text = _CONTROL.sub("�", text)
    return f"\x1b[{_CODES[tone]}m{text}\x1b[0m" if coloured and _CODES[tone] else text


def tone_of(line: Line) -> Tone:
    """By the line's level."""
    return _TONES.get(line.level, "plain")


def shown(line: Line, *, coloured: bool = False) -> str:
    """One line with its date, and its traceback indented below."""
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
    """The line's keys, those that everybody looks for first; what is empty is left out."""
    rest = [name for name in line.keys if name not in {*_FIRST, "workflow"}]
    pairs = [(name, line.keys.get(name)) for name in (*_FIRST, *rest)]
    return " ".join(
        f"{name}={_value(value)}" for name, value in pairs if value not in (None, "", [], {})
    )


def indented(text: str, spaces: int) -> str:
    """The rows of a text below what stands before it; nothing of an empty one."""
    return "".join(f"\n{' ' * spaces}{row}" for row in text.splitlines())


def _value(value: Any) -> str:  # noqa: ANN401 - JSON
    return value if isinstance(value, str) else str(value)
