"""Checks that the SMS providers are set up and send to any number. Skipped if SMS are off."""

from functions.core import config
from functions.core.config import SettingsError
from functions.core.messages.providers.settings import ProviderSettings
from functions.core.messages.providers.twilio_account import read_account
from functions.core.verification.destinations import DestinationSettings
from functions.workflows.check_app_location.asking import Finding, ask, look_up
from functions.workflows.check_app_location.location import command

_NOT_USED = Finding(None, "Not used: sms_countries is empty, so no SMS is sent.")


def sms_sandbox() -> Finding:
    """Checks that each of AWS's services that send SMS sends to any number."""
    if not config.read(DestinationSettings).sms_countries:
        return _NOT_USED
    checks = {"sns": _sns_sandbox, "end_user_messaging": _end_user_messaging_sandbox}
    findings = [
        checks[name]() for name in config.read(ProviderSettings).sms_providers if name in checks
    ]
    if not findings:
        return Finding(None, "Not used: no SMS is sent through AWS.")
    return next((each for each in findings if not each.ok), findings[0])


def sms_providers() -> Finding:
    """Checks that the providers' settings are consistent, and Twilio's secret holds an account."""
    if not config.read(DestinationSettings).sms_countries:
        return _NOT_USED
    try:
        provider_settings = config.read(ProviderSettings)
    except SettingsError as error:
        where = "functions/settings.toml or the parameters of template.yaml"
        return Finding(False, f"{error} Change {where}, and deploy again.")
    if problem := _twilio_secret_problem(provider_settings):
        return Finding(False, problem)
    return Finding(True, f"SMS are sent through {', '.join(provider_settings.sms_providers)}.")


def _sns_sandbox() -> Finding:
    if not ask("sns", lambda sns: sns.get_sms_sandbox_account_status())["IsInSandbox"]:
        return Finding(True, "AWS sends SMS to any number.")
    verify = command("sns create-sms-sandbox-phone-number --phone-number <number>")
    sandbox = "SNS is in its SMS sandbox and only sends to verified numbers."
    leave = "Leave the sandbox in the console (SNS, Text messaging)"
    return Finding(False, f"{sandbox} {leave}, or verify a number: {verify}")


def _end_user_messaging_sandbox() -> Finding:
    attributes = ask("pinpoint-sms-voice-v2", lambda sms: sms.describe_account_attributes())[
        "AccountAttributes"
    ]
    if {each["Name"]: each["Value"] for each in attributes}.get("ACCOUNT_TIER") == "PRODUCTION":
        return Finding(True, "AWS sends SMS to any number.")
    verify = command(
        "pinpoint-sms-voice-v2 create-verified-destination-number "
        "--destination-phone-number <number>"
    )
    sandbox = "End User Messaging is in its sandbox and only sends to verified numbers."
    leave = "Request production access in its console"
    return Finding(False, f"{sandbox} {leave}, or verify a number: {verify}")


def _twilio_secret_problem(provider_settings: ProviderSettings) -> str:
    """Problem with Twilio's secret; empty if there is none, or Twilio is not used."""
    if "twilio" not in provider_settings.sms_providers and not provider_settings.twilio_channels:
        return ""
    arn = provider_settings.twilio_secret
    secret = look_up("secretsmanager", lambda manager: manager.get_secret_value(SecretId=arn))
    if secret is None:
        create = command(
            "secretsmanager create-secret --name twilio --secret-string '{\"account_sid\": …}'"
        )
        return f"There is no secret {arn}. Create one and set TwilioSecret to its ARN: {create}"
    try:
        read_account(secret["SecretString"])
    except SettingsError as error:
        put = command(f"secretsmanager put-secret-value --secret-id {arn} --secret-string …")
        return f"{error} Correct it: {put}"
    return ""
