"""Renders emails in a process of its own, so that edits of Python files count too.

`python -m infra.console.rendering welcome/en welcome/de` prints a `Rendered` for each as JSON. The
settings are in the environment.
"""

import html
import json
import os
import re
import sys
from email.utils import formataddr
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from infra.console.render_mistake import TEMPLATES, RenderMistake, find_mistake

if TYPE_CHECKING:
    from functions.core.messages.email import Email

_DIGITS = "1234567890"
_SAMPLES = "*.example.com"
"""Hosts of links in samples."""
_HIDDEN = re.compile(
    r'<div aria-hidden="true" style="display:none;[^"]*">(.*?)(?:&#847;|</div>)', re.DOTALL
)


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """An email and its SMS, or a mistake."""

    subject: str = ""
    preheader: str = ""
    sender: str = msgspec.field(default="", name="from")
    html: str = ""
    text: str = ""
    sms: str = ""
    mistake: RenderMistake | None = None


def main() -> None:
    """Prints the emails or their mistakes; never fails itself."""
    rendered = {name: _rendered(*name.split("/")) for name in sys.argv[1:]}
    sys.stdout.buffer.write(msgspec.json.encode(rendered))


def _rendered(name: str, locale: str) -> Rendered:
    try:
        return _render(name, locale)
    except Exception as error:  # noqa: BLE001 - whatever a template's author may write
        return Rendered(mistake=find_mistake(error, TEMPLATES / name))


def _render(name: str, locale: str) -> Rendered:
    _allow_links_of_samples()
    from functions.core import config  # noqa: PLC0415 - these may have the mistake
    from functions.core.messages.settings import MessageSettings  # noqa: PLC0415

    about = config.read(MessageSettings)
    email, sms = _verification(locale) if name == "verification" else (_sample(name, locale), "")
    return Rendered(
        subject=email.subject,
        preheader=_preheader(email.html),
        sender=formataddr((about.app_name, about.email_from)),
        html=email.html,
        text=email.text,
        sms=sms,
    )


def _allow_links_of_samples() -> None:
    from functions.core import config  # noqa: PLC0415 - these may be what is wrong
    from functions.core.messages.settings import MessageSettings  # noqa: PLC0415

    own = config.read(MessageSettings).link_hosts
    if _SAMPLES not in own:
        os.environ["LINK_HOSTS"] = ",".join([*own, _SAMPLES])
        config.reset()


def _verification(locale: str) -> "tuple[Email, str]":
    from functions.core import config  # noqa: PLC0415 - these may have the mistake
    from functions.core.messages import verification  # noqa: PLC0415
    from functions.core.verification.settings import VerificationSettings  # noqa: PLC0415

    os.environ.setdefault("CODE_KEYS_SECRET", "none: no code is made")
    about = config.read(VerificationSettings)
    code, minutes = _DIGITS[: about.code_length], about.code_valid_seconds // 60
    email = verification.verification_email(code, minutes=minutes, purpose=None, locale=locale)
    return email, verification.verification_sms(code, minutes=minutes, purpose=None, locale=locale)


def _sample(name: str, locale: str) -> "Email":
    from functions.core.messages.rendering import catalog  # noqa: PLC0415 - as above

    for file in (TEMPLATES / name).glob("*.json"):
        _read_json(file)
    return catalog.find_template(name).email(_read_json(TEMPLATES / name / "sample.json"), locale)


def _preheader(email: str) -> str:
    """Text that lists of emails show after the subject; layout.html hides it before a filler."""
    found = _HIDDEN.search(email)
    return html.unescape(re.sub(r"<[^>]*>", "", found[1])).strip() if found else ""


def _read_json(file: Path) -> dict[str, object]:
    try:
        value: dict[str, object] = json.loads(file.read_text())
    except ValueError as error:
        error.add_note(str(file))
        raise
    return value


if __name__ == "__main__":
    main()
