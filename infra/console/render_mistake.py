"""Finds the file and the line of a mistake that prevents the rendering of an email."""

import json
import traceback
from pathlib import Path
from types import TracebackType

import msgspec

TEMPLATES = Path(__file__).parent.parent.parent / "functions/core/messages/templates"
MESSAGES = TEMPLATES.parent


class RenderMistake(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake that prevents the rendering of an email."""

    message: str
    file: str = ""
    """Path in functions/core/messages."""
    line: int | None = None
    called_from: str = ""
    """Place in the template that used the file, if it is another file."""


def find_mistake(error: Exception, folder: Path) -> RenderMistake:
    """The mistake behind an error in the rendering of the template of a folder."""
    from functions.core.errors import InvalidParameters  # noqa: PLC0415

    if isinstance(error, InvalidParameters):
        wrong = error.errors[0]
        line = _line_of(wrong.pointer, folder / "sample.json")
        return RenderMistake(
            message=f"{wrong.pointer} {wrong.detail}",
            file=_place(folder / "sample.json"),
            line=line,
        )
    message = "".join(traceback.format_exception_only(error)[-1:]).strip()
    if isinstance(error, json.JSONDecodeError):
        return RenderMistake(message=error.msg, file=_place(error.__notes__[0]), line=error.lineno)
    if isinstance(error, SyntaxError):
        return RenderMistake(
            message=error.msg, file=_place(error.filename or ""), line=error.lineno
        )
    (file, line), called_from = _raised_in(error.__traceback__, folder)
    file, line = getattr(error, "filename", None) or file, getattr(error, "lineno", None) or line
    return RenderMistake(message=message, file=_place(file), line=line, called_from=called_from)


def _raised_in(trace: TracebackType | None, folder: Path) -> tuple[tuple[str, int | None], str]:
    """Place of an error, and the place in the template's own folder that led to it.

    Jinja maps its tracebacks to files of the templates; otherwise it is the last place in our code.
    """
    frames = [(each.filename, each.lineno) for each in traceback.extract_tb(trace)]
    shared = [frame for frame in frames if frame[0].startswith(str(TEMPLATES))]
    place = (
        shared or [frame for frame in frames if frame[0].startswith(str(MESSAGES))] or [("", None)]
    )[-1]
    own = [frame for frame in shared if frame[0].startswith(f"{folder}/") and frame != place]
    return place, f"{_place(own[-1][0])}, line {own[-1][1]}" if own else ""


def _line_of(pointer: str, file: Path) -> int | None:
    """Line of the member that a pointer names in a JSON file."""
    member = next(
        (f'"{step}"' for step in reversed(pointer.split("/")) if step and not step.isdecimal()), "{"
    )
    lines = file.read_text().splitlines()
    return next((number for number, line in enumerate(lines, start=1) if member in line), None)


def _place(file: str | Path) -> str:
    return str(file).removeprefix(f"{MESSAGES}/")
