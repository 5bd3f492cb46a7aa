"""Asks the provider whether a token is good. All three have one protocol, `siteverify`.

The token's word counts for nothing but itself: the host and the action for which it was solved must
be ours. No answer, or one that cannot be read, is no yes. The client's address is not sent along: a
page that was loaded over IPv6 may call the API over IPv4, and a third party need not have it.

Sources: Cloudflare, "Validate the token"; hCaptcha, "Verify the User Response Server Side"; Google,
"Verifying the user's response" and "reCAPTCHA v3".
"""

from contextlib import suppress
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from functions.core import aws, config
from functions.core.aws.secrets import Secret
from functions.core.errors import (
    CaptchaFailed,
    DeliveryRefused,
    NotDelivered,
    Unavailable,
)
from functions.core.integrations.captcha.settings import CaptchaSettings
from functions.core.observability import count, logger
from functions.core.outbound_http import post as outbound
from functions.core.outbound_http.exchange import OutboundAnswer

ORIGINS = {
    "turnstile": "https://challenges.cloudflare.com",
    "hcaptcha": "https://api.hcaptcha.com",
    "recaptcha": "https://www.google.com",
}
PATHS = {
    "turnstile": "/turnstile/v0/siteverify",
    "hcaptcha": "/siteverify",
    "recaptcha": "/recaptcha/api/siteverify",
}
SECONDS = 5.0
"""Time for the provider's answer; people wait for it."""

_NETWORK = outbound.INTERNET._replace(seconds=SECONDS)
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_OK = 200
_SERVER_ERROR = 500

_OUR_FAULT = frozenset(
    {
        "missing-input-secret",
        "invalid-input-secret",
        "invalid-parsed-secret",
        "sitekey-secret-mismatch",
        "missing-remoteip",
        "internal-error",
    }
)
"""Error codes that say nothing of the token. Every other one is a refusal of it."""


class NotVerified(Unavailable):
    """There is no answer that says anything of the token."""

    def __init__(self, reason: str) -> None:
        """Takes the reason for the operator, which holds neither token nor secret."""
        super().__init__(
            "The CAPTCHA cannot be verified right now. Try again later, with a new token."
        )
        self.reason = reason


class Outcome(msgspec.Struct, frozen=True, rename={"error_codes": "error-codes"}):
    """The provider's answer. Fields that are not listed say nothing that is needed."""

    success: bool
    hostname: str | None = None
    """Host of the page on which the CAPTCHA was solved."""
    action: str | None = None
    """What it was solved for, as the page said; hCaptcha has none, nor has reCAPTCHA v2."""
    score: float | None = None
    """Of reCAPTCHA v3: 1 is a person. hCaptcha Enterprise means the opposite by it."""
    error_codes: list[Annotated[str, Meta(max_length=100)]] = []


def require_accepted(token: str) -> None:
    """Raises unless the provider accepts a token, which it does once.

    Raises:
        CaptchaFailed, NotVerified
    """
    try:
        outcome = ask(token, _secret_key())
    except NotVerified as error:
        count("CaptchaNotVerified")
        logger.error("CAPTCHA not verified", reason=error.reason)
        raise
    if reason := refusal(outcome, config.read(CaptchaSettings)):
        count("CaptchaRefused", reason=reason)
        logger.info("CAPTCHA refused", reason=reason, error_codes=outcome.error_codes)
        raise CaptchaFailed("was refused: show the CAPTCHA again, and send its new token")


def refusal(outcome: Outcome, settings: CaptchaSettings) -> str:
    """Why an outcome does not do, in a word; empty where it does."""
    if not outcome.success:
        return "token"
    if (outcome.hostname or "").lower() not in settings.captcha_hostnames:
        return "hostname"
    if settings.captcha == "hcaptcha":
        return ""
    if settings.captcha == "recaptcha":
        # Only the keys of v3 have scores. The secret decides of which kind a token must be.
        if outcome.score is None:
            return ""
        if outcome.score < settings.captcha_min_score:
            return "score"
    return "" if outcome.action == settings.captcha_action else "action"


def ask(token: str, secret_key: str) -> Outcome:
    """The provider's answer about a token.

    Raises:
        NotVerified: there was none, or it says nothing of the token.
    """
    settings = config.read(CaptchaSettings)
    url = (settings.captcha_url or ORIGINS[settings.captcha]) + PATHS[settings.captcha]
    body = urlencode({"secret": secret_key.strip(), "response": token}).encode()
    try:
        outcome = _read(outbound.post(url, body, _FORM, _NETWORK, read_body=True))
    except (DeliveryRefused, NotDelivered) as error:
        raise NotVerified(error.detail) from None
    if not outcome.success and (ours := sorted(_OUR_FAULT.intersection(outcome.error_codes))):
        raise NotVerified(", ".join(ours))
    return outcome


def prepare() -> None:
    """Reads secret and certificates at init. A mistake in them is reported by each call."""
    outbound.prepare()
    with suppress(NotVerified):
        _secret_key()


def _read(answer: OutboundAnswer) -> Outcome:
    try:
        outcome = msgspec.json.decode(answer.body, type=Outcome)
    except msgspec.MsgspecError:
        raise NotVerified(f"status {answer.status}, unreadable") from None
    if answer.status >= _SERVER_ERROR or (outcome.success and answer.status != _OK):
        raise NotVerified(f"status {answer.status}")
    return outcome


def _secret_key() -> str:
    """The provider's secret key. Raises `NotVerified` where there is none."""
    arn = config.read(CaptchaSettings).captcha_secret
    if not arn:
        raise NotVerified("the parameter CaptchaSecret is not set")
    try:
        return _secret(arn).value()
    except aws.AwsError as error:
        raise NotVerified(f"secret not read: {error.code}") from error


@config.cached
def _secret(arn: str) -> Secret:
    return Secret(arn, attempts=1)
