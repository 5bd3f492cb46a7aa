"""Stand-in of the CAPTCHA providers' siteverify, with the keys and tokens that they publish for
tests.

Sources: Cloudflare, "Test your Turnstile implementation"; hCaptcha, "Integration Testing: Test
Keys"; Google, reCAPTCHA FAQ, "I'd like to run automated tests with reCAPTCHA". Their test keys have
neither action nor score. The stand-in adds those of the default settings.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from infra.local.captured import Reply, utc

TURNSTILE_TOKEN = "XXXX.DUMMY.TOKEN.XXXX"  # noqa: S105 - of the provider's documentation
HCAPTCHA_TOKEN = "10000000-aaaa-bbbb-cccc-000000000001"  # noqa: S105 - as above
RECAPTCHA_TOKEN = "solved"  # noqa: S105 - Google publishes none: its test key takes any

TURNSTILE_SECRET = "1x0000000000000000000000000000000AA"  # noqa: S105 - as above
HCAPTCHA_SECRET = "0x0000000000000000000000000000000000000000"  # noqa: S105 - as above
RECAPTCHA_SECRET = "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe"  # noqa: S105 - as above
ANY_SECRET = "local"  # noqa: S105 - opens the stand-in only
"""The local stack's secret: it opens all three, so that the setting alone chooses."""

_ACTION = "verify_send"
_FAILING = {
    "2x0000000000000000000000000000000AA": "invalid-input-response",
    "3x0000000000000000000000000000000AA": "timeout-or-duplicate",
}
"""Secrets of Turnstile that refuse every token."""


def answer(path: str, body: bytes) -> Reply | None:
    """Answer to a POST; null for a path that is no siteverify."""
    provider = _PROVIDERS.get(path)
    if provider is None:
        return None
    form = dict(parse_qsl(body.decode()))
    if error := _missing(form):
        return _refused(error)
    return provider(form["secret"], form["response"])


def _missing(form: Mapping[str, str]) -> str:
    missing = [name for name in ("secret", "response") if not form.get(name)]
    return f"missing-input-{missing[0]}" if missing else ""


def _turnstile(secret: str, token: str) -> Reply:
    if error := _FAILING.get(secret):
        return _refused(error)
    if secret not in {TURNSTILE_SECRET, ANY_SECRET}:
        return _refused("invalid-input-secret")
    if token != TURNSTILE_TOKEN:
        return _refused("invalid-input-response")
    return _accepted("example.com", action=_ACTION, cdata="")


def _hcaptcha(secret: str, token: str) -> Reply:
    if secret not in {HCAPTCHA_SECRET, ANY_SECRET}:
        return _refused("invalid-input-secret")
    if token != HCAPTCHA_TOKEN:
        return _refused("not-using-dummy-passcode")
    return _accepted("dummy-key-pass", credit=False)


def _recaptcha(secret: str, token: str) -> Reply:
    if secret not in {RECAPTCHA_SECRET, ANY_SECRET}:
        return _refused("invalid-input-secret")
    if token != RECAPTCHA_TOKEN:
        return _refused("invalid-input-response")
    return _accepted("testkey.google.com", action=_ACTION, score=0.9)


def _accepted(hostname: str, **more: object) -> Reply:
    about = {"success": True, "challenge_ts": utc(datetime.now(UTC)), "hostname": hostname}
    return Reply(200, about | {"error-codes": []} | more)


def _refused(code: str) -> Reply:
    return Reply(200, {"success": False, "error-codes": [code]})


_PROVIDERS: Mapping[str, Callable[[str, str], Reply]] = {
    "/turnstile/v0/siteverify": _turnstile,
    "/siteverify": _hcaptcha,
    "/recaptcha/api/siteverify": _recaptcha,
}
