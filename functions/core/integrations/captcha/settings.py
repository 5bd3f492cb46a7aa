"""Settings of the CAPTCHA."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from functions.core import config
from functions.core.config import SettingsError

CaptchaProvider = Literal["none", "turnstile", "hcaptcha", "recaptcha"]

_HOST = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z"


@config.settings("captcha")
class CaptchaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the CAPTCHA. functions/settings.toml describes those that are in its section."""

    captcha: CaptchaProvider = "none"
    captcha_hostnames: tuple[Annotated[str, Meta(pattern=_HOST)], ...] = ()
    captcha_action: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,32}\Z")] = "verify_send"
    captcha_min_score: Annotated[float, Meta(ge=0, le=1)] = 0.5

    captcha_secret: Annotated[str, config.ENVIRONMENT] = ""
    """ARN of the secret with the provider's secret key."""
    captcha_url: Annotated[str, config.ENVIRONMENT] = ""
    """Origin instead of the provider's, for the local stack."""

    def __post_init__(self) -> None:
        """Raises `SettingsError` where no token could be accepted."""
        if self.captcha != "none" and not self.captcha_hostnames:
            raise SettingsError(
                "CAPTCHA_HOSTNAMES: name the hosts of the pages that show the CAPTCHA, "
                'such as ["app.example.com"].'
            )
