"""Messages with a code."""

from functions.core import config
from functions.core.messages import segments
from functions.core.messages.email import Email
from functions.core.messages.rendering.locales import Locale, LocaleHint, fill, find_locale
from functions.core.messages.rendering.render import render, render_email
from functions.core.messages.settings import MessageSettings

_NAMED = (("sms_code", "sms_validity", "sms_secrecy"), ("sms_code", "sms_secrecy"), ("sms_code",))
_UNNAMED = (("sms_unnamed", "sms_validity", "sms_secrecy"), ("sms_unnamed",), ())
"""Wordings of an SMS, with and without the app's name, as keys of sentences, the best first.

Even the last one is a whole message: `@domain #code` needs no text before it (WICG, origin-bound
one-time codes, §3.1).
"""

_RETRIEVER_BYTES = 140
"""Longest message that Android reads (SMS Retriever API, "Construct a verification message").

The API does not say whether it counts septets or characters. 140 characters fit either way, and 70
UCS-2 units are 140 bytes.
"""


def verification_email(
    code: str,
    *,
    minutes: int,
    purpose: str | None,
    locale: LocaleHint | None,
    link: str | None = None,
) -> Email:
    """Renders the email with a code.

    Args:
        code: 6 to 10 digits or letters.
        minutes: validity of the code.
        purpose: one of `rendering.purposes`, or none; it changes the wording.
        locale: the reader's languages; without one, the default locale.
        link: URL of a page that knows the code, if there is one.
    """
    found = find_locale(locale)
    values = _values(code, minutes, purpose, found) | {"link": link}
    return render_email("verification", found, values)


def verification_sms(
    code: str, *, minutes: int, purpose: str | None, locale: LocaleHint | None
) -> str:
    """Renders the SMS with a code: the best wording that fits in one segment.

    Parameters as in `verification_email`.
    """
    found = find_locale(locale)
    values = _values(code, minutes, purpose, found)
    wordings = [(purpose, sentences) for sentences in _NAMED] + [
        (None, each) for each in (*_NAMED, *_UNNAMED)
    ]
    changes = ({"purpose": about, "sentences": sentences} for about, sentences in wordings)
    texts = (render("verification/sms.txt", found, values | change) for change in changes)
    return next(text for text in texts if _fits(text))


def spoken_introduction(*, purpose: str | None, locale: LocaleHint | None) -> tuple[str, str]:
    """Sentence that a call says before the code, and its language (BCP 47)."""
    found = find_locale(locale)
    sentence = found.sentence("verification.intro", purpose)
    return fill(
        sentence, {"app_name": config.read(MessageSettings).app_name}.__getitem__
    ), found.tag


def prepare() -> None:
    """Renders each message once, so that init compiles templates and reads the default locale."""
    verification_email("000000", minutes=1, purpose=None, locale=None)
    verification_sms("000000", minutes=1, purpose=None, locale=None)


def _values(code: str, minutes: int, purpose: str | None, locale: Locale) -> dict[str, object]:
    about = config.read(MessageSettings)
    return {
        "code": code,
        "duration": fill(
            locale.sentence("minutes", minutes), {"minutes": str(minutes)}.__getitem__
        ),
        "purpose": purpose,
        "code_in_subject": about.code_in_subject,
        "web_domain": about.web_domain,
        "android_app_hash": about.android_app_hash,
    }


def _fits(text: str) -> bool:
    length = segments.length(text)
    return length.one_segment and (
        not config.read(MessageSettings).android_app_hash or length.units <= _RETRIEVER_BYTES
    )
