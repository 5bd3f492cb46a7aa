"""Whether the providers of SMS are set up, and send to everybody. Of no concern where no SMS may be sent."""

from functions.core import config
from functions.core.config import SettingsError
from functions.core.messages.providers.settings import ProviderSettings
from functions.core.messages.providers.twilio_account import read_account
from functions.core.verification.destinations import DestinationSettings
from functions.workflows.check_app_location.asking import Finding, ask, look_up
from functions.workflows.check_app_location.location import command

_NOT_USED = Finding(None, "Not used: SmsCountries is empty, so no SMS is sent.")


def sms_sandbox() -> Finding:
    """Whether each of AWS's services that SMS go through sends to everybody."""
    if not config.read(DestinationSettings).sms_countries:
        return _NOT_USED
    asked = {"sns": _sns_sandbox, "end_user_messaging": _end_user_messaging_sandbox}
    found = [asked[name]() for name in config.read(ProviderSettings).sms_providers if name in asked]
    if not found:
        return Finding(None, "Not used: no SMS go through AWS.")
    return next((each for each in found if not each.ok), found[0])


def sms_providers() -> Finding:
    """Whether the settings of the providers fit together, and Twilio's secret holds an account."""
    if not config.read(DestinationSettings).sms_countries:
        return _NOT_USED
    try:
        about = config.read(ProviderSettings)
    except SettingsError as error:
        return Finding(False, f"{error} Change the parameters of template.yaml and deploy again.")
    if wrong := _wrong_twilio_secret(about):
        return Finding(False, wrong)
    return Finding(True, f"SMS go through {', '.join(about.sms_providers)}.")


def _sns_sandbox() -> Finding:
    if not ask("sns", lambda sns: sns.get_sms_sandbox_account_status())["IsInSandbox"]:
        return Finding(True, "AWS sends SMS to everybody.")
    verify = command("sns create-sms-sandbox-phone-number --phone-number <number>")
    sandbox = "SNS is in its SMS sandbox: it sends to verified numbers only. Leave it in the console (SNS, Text messaging)"
    return Finding(False, f"{sandbox}, or verify a number: {verify}")


def _end_user_messaging_sandbox() -> Finding:
    attributes = ask("pinpoint-sms-voice-v2", lambda sms: sms.describe_account_attributes())[
        "AccountAttributes"
    ]
    if {each["Name"]: each["Value"] for each in attributes}.get("ACCOUNT_TIER") == "PRODUCTION":
        return Finding(True, "AWS sends SMS to everybody.")
    verify = command(
        "pinpoint-sms-voice-v2 create-verified-destination-number --destination-phone-number <number>"
    )
    sandbox = "End User Messaging is in its sandbox: it sends to verified numbers only. Ask for production access in its"
    return Finding(False, f"{sandbox} console, or verify a number: {verify}")


def _wrong_twilio_secret(about: ProviderSettings) -> str:
    """What is wrong with it; empty where nothing is, or where Twilio is not used."""
    if "twilio" not in about.sms_providers and not about.twilio_channels:
        return ""
    arn = about.twilio_secret
    secret = look_up(
        "secretsmanager",
        lambda manager: manager.get_secret_value(SecretId=arn),
        absent=["ResourceNotFoundException"],
    )
    if secret is None:
        make = command(
            "secretsmanager create-secret --name twilio --secret-string '{\"account_sid\": …}'"
        )
        return f"There is no secret {arn}. Make it, and name its ARN in TwilioSecret: {make}"
    try:
        read_account(secret["SecretString"])
    except SettingsError as error:
        return f"{error} Mend it: {command(f'secretsmanager put-secret-value --secret-id {arn} --secret-string …')}"
    return ""
