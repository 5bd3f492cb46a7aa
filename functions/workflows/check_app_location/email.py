"""Whether SES will send what this deployment gives it."""

import msgspec

from functions.core import config
from functions.workflows.check_app_location.asking import Finding, ask, look_up
from functions.workflows.check_app_location.location import command


@config.settings()
class SenderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who emails come from; read from the environment."""

    email_from: str
    link_hosts: tuple[str, ...] = ()
    """Hosts that links in emails from templates may go to."""
    reply_to_domains: tuple[str, ...] = ()
    """Domains of the addresses that answers to them may go to."""


def email_sender() -> Finding:
    """Whether SES has verified the address that emails come from, its domain, or a domain above that."""
    waiting = ""
    for identity in identities(config.read(SenderSettings).email_from):
        verified = _is_verified(identity)
        if verified:
            return Finding(True, f"SES has verified {identity}.")
        if verified is False:
            waiting = waiting or identity
    return Finding(False, _waiting(waiting) if waiting else _unknown())


def email_sandbox() -> Finding:
    """Whether SES sends to everybody."""
    account = ask("sesv2", lambda ses: ses.get_account())
    if not account["SendingEnabled"]:
        return Finding(
            False,
            "SES has paused sending for this account. The account dashboard in its console says why.",
        )
    if not account["ProductionAccessEnabled"]:
        leave = "sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL --website-url <URL>"
        sandbox = "SES is in its sandbox: it sends to verified addresses only."
        return Finding(False, f"{sandbox} Ask for production access: {command(leave)}")
    return Finding(True, "SES sends to everybody.")


def link_hosts() -> Finding:
    """Whether emails from templates may contain links. Codes need none."""
    if hosts := config.read(SenderSettings).link_hosts:
        return Finding(True, f"Links in emails from templates may go to {', '.join(hosts)}.")
    refused = "Emails from templates that contain a link, as welcome and invitation do, are refused"
    return Finding(None, f"LinkHosts is empty. {refused}. {_set('LinkHosts=app.example.com')}")


def reply_to_domains() -> Finding:
    """Whether emails from templates may say where answers go. Codes do not."""
    if domains := config.read(SenderSettings).reply_to_domains:
        return Finding(True, f"Answers to emails from templates may go to {', '.join(domains)}.")
    refused = "Emails from templates that have a reply_to are refused"
    return Finding(
        None, f"ReplyToDomains is empty. {refused}. {_set('ReplyToDomains=example.com')}"
    )


def identities(address: str) -> list[str]:
    """What SES may have verified so that it sends from an address: that itself, its domain, domains above."""
    labels = address.rpartition("@")[2].lower().split(".")
    return [address, *(".".join(labels[start:]) for start in range(max(1, len(labels) - 1)))]


def _is_verified(identity: str) -> bool | None:
    """Null where SES does not know it."""
    about = look_up(
        "sesv2",
        lambda ses: ses.get_email_identity(EmailIdentity=identity),
        absent=["NotFoundException"],
    )
    return None if about is None else bool(about["VerifiedForSendingStatus"])


def _waiting(identity: str) -> str:
    if "@" in identity:
        return (
            f"SES has not verified {identity} yet. Follow the link in the email that it sent there."
        )
    records = command(f"sesv2 get-email-identity --email-identity {identity}")
    return (
        f"SES has not verified {identity} yet. Publish the DKIM records that this names: {records}"
    )


def _unknown() -> str:
    address = config.read(SenderSettings).email_from
    create = command(
        f"sesv2 create-email-identity --email-identity {address.rpartition('@')[2].lower()}"
    )
    return f"SES knows neither {address} nor its domain. Publish the DKIM records that this names: {create}"


def _set(example: str) -> str:
    return f"If you send such, set yours in samconfig.toml (parameter_overrides), such as {example}, and deploy again."
