"""How a local deployment finds the stand-ins of providers."""

import json

from infra.local import end_user_messaging, twilio
from infra.local.emulator import Emulator

_SECRET = "local-twilio"  # noqa: S105 - a name


def parameters(emulator: Emulator, url: str) -> dict[str, str]:
    """Stack parameters with which `SMS_PROVIDERS=twilio` or `=end_user_messaging` just works. `url`: of the stand-ins."""
    return {
        "EndUserMessagingOrigination": end_user_messaging.ORIGINATION,
        "TwilioSecret": _secret(emulator),
        "TwilioUrl": url,
    }


def variables(url: str) -> dict[str, str]:
    """Environment that sends botocore to the stand-in of the one service that the emulator lacks."""
    return {"AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": url}


def _secret(emulator: Emulator) -> str:
    """ARN of the secret with the stand-in's Twilio account, which is made once in a state."""
    secrets = emulator.client("secretsmanager")
    for known in secrets.list_secrets()["SecretList"]:
        if known["Name"] == _SECRET:
            return str(known["ARN"])
    return str(secrets.create_secret(Name=_SECRET, SecretString=json.dumps(twilio.SECRET))["ARN"])
