"""Whether a CAPTCHA was solved, asked only where one is set up."""

from functions.core import config
from functions.core.errors import CaptchaFailed
from functions.core.integrations.captcha.settings import CaptchaSettings


def require_solved(token: str | None, *, needed: bool) -> None:
    """Raises unless the provider says that a person solved the CAPTCHA, once, for this app.

    Without a provider, a token is ignored, so that pages may send it before it is needed.

    Args:
        token: that the page got from the provider.
        needed: whether a call without a token is refused. A given one is always verified.

    Raises:
        CaptchaFailed: the token is missing or refused.
        Unavailable: the provider gave no answer that can be trusted.
    """
    provider = config.read(CaptchaSettings).captcha
    if provider == "none" or not (token or needed):
        return
    if not token:
        raise CaptchaFailed(f"is required: send the token that {provider} gave to the page")
    from functions.core.integrations.captcha import siteverify  # noqa: PLC0415 - only where it is set up

    siteverify.require_accepted(token)


def prepare() -> None:
    """Reads secret and certificates at init, where a provider is set up."""
    if config.read(CaptchaSettings).captcha != "none":
        from functions.core.integrations.captcha import siteverify  # noqa: PLC0415 - as above

        siteverify.prepare()
