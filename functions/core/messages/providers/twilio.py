"""SMS, WhatsApp messages and calls through Twilio."""

import html
import json

from functions.core import config
from functions.core.messages.provider_failures import TIME_TO_LIVE_SECONDS
from functions.core.messages.providers import twilio_client
from functions.core.messages.providers.settings import ProviderSettings
from functions.core.messages.providers.twilio_account import TwilioAccount

_SAY_LANGUAGES = {
    "ar": "arb",
    "de": "de-DE",
    "en": "en-US",
    "es": "es-ES",
    "fr": "fr-FR",
    "ja": "ja-JP",
    "pt": "pt-BR",
}
"""Twilio's names of languages (TwiML Voice: <Say>)."""


def send_sms(to: str, text: str, verification_id: str = "") -> str:
    """Sends an SMS to an E.164 number; returns its SID. Raises as `twilio_client.create`."""
    return twilio_client.create(
        lambda client, account: client.messages.create(
            to,
            body=text,
            validity_period=TIME_TO_LIVE_SECONDS,
            **_sms_sender(account),
            **_status_callback(verification_id),
        )
    )


def send_whatsapp(to: str, text: str, code: str, verification_id: str = "") -> str:
    """Sends a WhatsApp message to an E.164 number; returns its SID.

    It is the approved template with the code, or the text where no template is configured. Raises
    as `twilio_client.create`.
    """
    return twilio_client.create(
        lambda client, account: client.messages.create(
            f"whatsapp:{to}",
            from_=f"whatsapp:{account.whatsapp_from or account.from_number}",
            validity_period=TIME_TO_LIVE_SECONDS,
            **_whatsapp_content(account, text, code),
            **_status_callback(verification_id),
        )
    )


def call_with_code(
    to: str, introduction: str, code: str, language: str, verification_id: str = ""
) -> str:
    """Calls an E.164 number and says the code twice; returns the call's SID.

    Raises as `twilio_client.create`.

    Args:
        to: number to call.
        introduction: sentence before the code, such as "Your code for Our app is".
        code: said character by character.
        language: BCP 47 tag of the introduction.
        verification_id: id that the status callback names.
    """
    twiml = spoken(introduction, code, language)
    return twilio_client.create(
        lambda client, account: client.calls.create(
            to=to, from_=account.from_number, twiml=twiml, **_status_callback(verification_id)
        )
    )


def spoken(introduction: str, code: str, language: str) -> str:
    """TwiML that says the code twice."""
    said = html.escape(f"{introduction} {', '.join(code)}.")
    voice = _SAY_LANGUAGES.get(language.lower().partition("-")[0], _SAY_LANGUAGES["en"])
    say = f'<Say language="{voice}">{said}</Say>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{say}<Pause length="1"/>{say}</Response>'
    )


def prepare() -> None:
    """Makes the client at init."""
    twilio_client.prepare()


def _status_callback(verification_id: str) -> dict[str, str]:
    """URL with the verification's id, which Twilio signs. No character of an id needs encoding."""
    url = config.read(ProviderSettings).twilio_status_url
    return (
        {"status_callback": f"{url}?verification_id={verification_id}"}
        if url and verification_id
        else {}
    )


def _sms_sender(account: TwilioAccount) -> dict[str, str]:
    if account.messaging_service_sid:
        return {"messaging_service_sid": account.messaging_service_sid}
    return {"from_": account.from_number}


def _whatsapp_content(account: TwilioAccount, text: str, code: str) -> dict[str, str]:
    if account.whatsapp_content_sid:
        return {
            "content_sid": account.whatsapp_content_sid,
            "content_variables": json.dumps({"1": code}),
        }
    return {"body": text}
