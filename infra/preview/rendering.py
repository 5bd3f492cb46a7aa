"""Renders one email in a process of its own, so that edits of Python files count too.

`python -m infra.preview.rendering welcome en` prints a `Rendered` as JSON. The settings are in the
environment.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from types import TracebackType

import msgspec

TEMPLATES = Path(__file__).parent.parent.parent / "functions/core/messages/templates"
MESSAGES = TEMPLATES.parent

_DIGITS = "1234567890"


class RenderMistake(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake that prevents the rendering of an email."""

    message: str
    file: str = ""
    """Path in functions/core/messages."""
    line: int | None = None
    called_from: str = ""
    """Place in the template that used the file, if it is another file."""


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """An email and its SMS, or a mistake."""

    subject: str = ""
    html: str = ""
    text: str = ""
    sms: str = ""
    mistake: RenderMistake | None = None


def main() -> None:
    """Prints the email or the mistake; never fails itself."""
    name, locale = sys.argv[1:]
    try:
        rendered = _render(name, locale)
    except Exception as error:  # noqa: BLE001 - whatever a template's author may write
        rendered = Rendered(mistake=_mistake(error, TEMPLATES / name))
    sys.stdout.buffer.write(msgspec.json.encode(rendered))


def _allow_links_of_samples() -> None:
    from functions.core import config  # noqa: PLC0415 - these may be what is wrong
    from functions.core.messages.settings import MessageSettings  # noqa: PLC0415

    own = config.read(MessageSettings).link_hosts
    os.environ["LINK_HOSTS"] = ",".join([*own, "*.example.com"])
    config.reset()


def _render(name: str, locale: str) -> Rendered:
    _allow_links_of_samples()
    sms = ""
    if name == "verification":
        from functions.core import config  # noqa: PLC0415 - these may have the mistake
        from functions.core.messages import verification  # noqa: PLC0415
        from functions.core.verification.settings import VerificationSettings  # noqa: PLC0415

        os.environ.setdefault("CODE_KEYS_SECRET", "none: no code is made")
        about = config.read(VerificationSettings)
        code, minutes = _DIGITS[: about.code_length], about.code_valid_seconds // 60
        email = verification.verification_email(code, minutes=minutes, purpose=None, locale=locale)
        sms = verification.verification_sms(code, minutes=minutes, purpose=None, locale=locale)
    else:
        from functions.core.messages.rendering import catalog  # noqa: PLC0415

        for file in (TEMPLATES / name).glob("*.json"):
            _read_json(file)
        email = catalog.find_template(name).email(
            _read_json(TEMPLATES / name / "sample.json"), locale
        )
    return Rendered(subject=email.subject, html=email.html, text=email.text, sms=sms)


def _read_json(file: Path) -> dict[str, object]:
    try:
        value: dict[str, object] = json.loads(file.read_text())
    except ValueError as error:
        error.add_note(str(file))
        raise
    return value


def _mistake(error: Exception, folder: Path) -> RenderMistake:
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


if __name__ == "__main__":
    main()
