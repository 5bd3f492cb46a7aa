"""Checks that the CAPTCHA's provider knows the secret key. Otherwise no stranger gets a code."""

from functions.core import config
from functions.core.integrations.captcha.settings import CaptchaSettings
from functions.workflows.check_app_location.asking import Finding, look_up, require_time_for
from functions.workflows.check_app_location.location import command

_NO_TOKEN = "check_app_location"  # noqa: S105 - a token that no provider has given
_REFUSED = "-input-secret"
"""End of the codes with which a provider refuses the secret key."""


def captcha() -> Finding:
    """Asks the provider about a token that it has never given, which charges nobody."""
    settings = config.read(CaptchaSettings)
    if settings.captcha == "none":
        return Finding(None, "Not used: captcha is none, so strangers need no CAPTCHA.")
    if (secret_key := _secret_key(settings.captcha_secret)) is None:
        create = command("secretsmanager create-secret --name captcha --secret-string …")
        return Finding(
            False,
            f"There is no secret {settings.captcha_secret}. "
            f"Create one and set CaptchaSecret to its ARN: {create}",
        )
    return _asked(settings, secret_key)


def _secret_key(arn: str) -> str | None:
    """Text of the secret, as it is now; null where there is none."""
    if not arn:
        return None
    secret = look_up("secretsmanager", lambda manager: manager.get_secret_value(SecretId=arn))
    return str(secret["SecretString"]) if secret else None


def _asked(settings: CaptchaSettings, secret_key: str) -> Finding:
    from functions.core.integrations.captcha import siteverify  # noqa: PLC0415 - only where it is set up

    require_time_for(1)
    try:
        siteverify.ask(_NO_TOKEN, secret_key)
    except siteverify.NotVerified as error:
        if not error.reason.endswith(_REFUSED):
            detail = f"Could not be checked: no answer of {settings.captcha}: {error.reason}"
            return Finding(None, detail)
        put = command(
            f"secretsmanager put-secret-value --secret-id {settings.captcha_secret} "
            "--secret-string …"
        )
        return Finding(False, f"{settings.captcha} does not know the secret key. Correct it: {put}")
    return Finding(True, f"Publishable tokens need a CAPTCHA of {settings.captcha}.")
