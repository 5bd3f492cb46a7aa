"""Parameters and variables with which a local deployment finds the stand-ins of providers."""

import json

from infra.local import captcha, end_user_messaging, twilio
from infra.local.emulator import Emulator

_SECRETS = {
    "local-twilio": json.dumps(twilio.SECRET),
    "local-webhook-twilio": twilio.AUTH_TOKEN,
    "local-captcha": captcha.ANY_SECRET,
}
"""Secrets by name: the sending account, the key with which Twilio signs callbacks, and the key of
the CAPTCHA.
"""


def parameters(emulator: Emulator) -> dict[str, str]:
    """Stack parameters with which `SMS_PROVIDERS=twilio`, `=end_user_messaging` and `CAPTCHA=…`
    work.
    """
    secrets = _secrets(emulator)
    return {
        "EndUserMessagingOrigination": end_user_messaging.ORIGINATION,
        "TwilioSecret": secrets["local-twilio"],
        "CaptchaSecret": secrets["local-captcha"],
    }


def variables(url: str) -> dict[str, str]:
    """Variables that send requests to providers to the stand-ins at a URL."""
    return {"AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": url, "TWILIO_URL": url, "CAPTCHA_URL": url}


def _secrets(emulator: Emulator) -> dict[str, str]:
    """ARNs of the stand-ins' secrets, which are created once for a state."""
    secrets = emulator.client("secretsmanager")
    known = {each["Name"]: str(each["ARN"]) for each in secrets.list_secrets()["SecretList"]}
    for name in _SECRETS.keys() - known.keys():
        known[name] = str(secrets.create_secret(Name=name, SecretString=_SECRETS[name])["ARN"])
    return known
