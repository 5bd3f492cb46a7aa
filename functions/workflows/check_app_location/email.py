"""Checks that SES can send this deployment's emails."""

from functions.core import config
from functions.core.messages.settings import MessageSettings
from functions.workflows.check_app_location.asking import Finding, ask, look_up
from functions.workflows.check_app_location.location import command


def email_sender() -> Finding:
    """Checks that SES has verified the sender's address, its domain, or a parent domain."""
    pending = ""
    for identity in identities(config.read(MessageSettings).email_from):
        verified = _is_verified(identity)
        if verified:
            return Finding(True, f"SES has verified {identity}.")
        if verified is False:
            pending = pending or identity
    return Finding(False, _pending(pending) if pending else _unknown())


def email_sandbox() -> Finding:
    """Checks that SES sends to any address."""
    account = ask("sesv2", lambda ses: ses.get_account())
    if not account["SendingEnabled"]:
        return Finding(
            False,
            "SES has paused sending for this account. Its console says why (account dashboard).",
        )
    if not account["ProductionAccessEnabled"]:
        request = command(
            "sesv2 put-account-details --production-access-enabled "
            "--mail-type TRANSACTIONAL --website-url <URL>"
        )
        sandbox = "SES is in its sandbox and only sends to verified addresses."
        return Finding(False, f"{sandbox} Request production access: {request}")
    return Finding(True, "SES sends to any address.")


def link_hosts() -> Finding:
    """Checks that emails may contain links. Codes need none, unless they are sent with one."""
    if hosts := config.read(MessageSettings).link_hosts:
        return Finding(True, f"Links in emails may go to {', '.join(hosts)}.")
    refused = "Emails that contain a link are refused: welcome, invitation, and codes with one"
    return Finding(
        None, f"link_hosts is empty. {refused}. {_advice('link_hosts', 'app.example.com')}"
    )


def reply_to_domains() -> Finding:
    """Checks that emails from templates may have a reply address. Codes have none."""
    if domains := config.read(MessageSettings).reply_to_domains:
        return Finding(True, f"Replies to emails from templates may go to {', '.join(domains)}.")
    refused = "Emails from templates that have a reply_to are refused"
    return Finding(
        None, f"reply_to_domains is empty. {refused}. {_advice('reply_to_domains', 'example.com')}"
    )


def identities(address: str) -> list[str]:
    """Identities that let SES send from an address: the address, its domain, parent domains."""
    labels = address.rpartition("@")[2].lower().split(".")
    return [address, *(".".join(labels[start:]) for start in range(max(1, len(labels) - 1)))]


def _is_verified(identity: str) -> bool | None:
    """Whether SES has verified the identity; None if SES does not know it."""
    about = look_up("sesv2", lambda ses: ses.get_email_identity(EmailIdentity=identity))
    return None if about is None else bool(about["VerifiedForSendingStatus"])


def _pending(identity: str) -> str:
    if "@" in identity:
        return f"SES has not verified {identity} yet. Follow the link in the email from SES to it."
    records = command(f"sesv2 get-email-identity --email-identity {identity}")
    return (
        f"SES has not verified {identity} yet. "
        f"Publish the DKIM records that this command shows: {records}"
    )


def _unknown() -> str:
    address = config.read(MessageSettings).email_from
    create = command(
        f"sesv2 create-email-identity --email-identity {address.rpartition('@')[2].lower()}"
    )
    return (
        f"SES knows neither {address} nor its domain. "
        f"Publish the DKIM records that this command shows: {create}"
    )


def _advice(key: str, example: str) -> str:
    return (
        "If you send such emails, set it in functions/settings.toml, "
        f'for example {key} = ["{example}"], and deploy again.'
    )
