"""`make unlock`, `make rotate-keys`, `make secret`: an operator's occasional tasks."""

import argparse
import json
import os
import secrets
import sys
import time

import boto3
from botocore.exceptions import ClientError

from infra import stack_target

_EARLIER_KEYS_KEPT = 2
"""Number of earlier code keys that stay, so that codes sent with them remain valid."""

_SECRETS = {
    "registration-token": "REGISTRATION_TOKEN_SECRET",
    "events-key": "EVENTS_KEY_SECRET",
    "usersnap-portal-key": "USERSNAP_PORTAL_KEY_SECRET",
}
"""Secrets that an operator hands on, with the variables that hold their ARNs."""


def main() -> int:
    """Runs one command; 1 with a sentence if it fails."""
    arguments = _arguments()
    commands = {"unlock": _unlock, "rotate-keys": _rotate_keys, "secret": _secret}
    return stack_target.run_command(arguments, commands[arguments.command])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.operate", description=__doc__)
    stack_target.add_arguments(parser)
    commands = parser.add_subparsers(dest="command", required=True)
    unlock = commands.add_parser(
        "unlock",
        help="forgets a destination's failures and sends, and takes it off SES's suppression list; "
        "or resumes a paused country",
    )
    unlock.add_argument("--to", default="", help="email address or phone number")
    unlock.add_argument("--country", default="", help="ISO 3166-1 code")
    commands.add_parser("rotate-keys", help="makes a new code key; codes that were sent stay valid")
    commands.add_parser("secret", help="shows a secret of the stack").add_argument(
        "name", help=", ".join(_SECRETS)
    )
    return parser.parse_args()


def _unlock(arguments: argparse.Namespace) -> str:
    if not (arguments.to or arguments.country):
        raise ValueError(
            "Say what to unlock: make unlock TO=ana@example.com, or make unlock COUNTRY=DE"
        )
    os.environ["SMS_COUNTRIES"] = "*"
    from functions.core.errors import InvalidParameters  # noqa: PLC0415 - reads the environment set above
    from functions.core.verification.destinations import read_destination  # noqa: PLC0415 - as above
    from functions.core.verification.limits import sending  # noqa: PLC0415 - as above

    if arguments.country:
        sending.resume(arguments.country, time.time())
        return f"SMS to {arguments.country} is resumed and is not paused again within the hour."
    try:
        destination = read_destination("email" if "@" in arguments.to else "sms", arguments.to)
    except InvalidParameters as error:
        raise ValueError(f"{arguments.to} {error.errors[0].detail}.") from None
    sending.SendLimitRecord(sending.destination_key(destination)).delete()
    unlocked = f"{destination.masked} is unlocked: its failed checks and its sends are forgotten."
    if destination.channel != "email":
        return unlocked
    return " ".join([unlocked, *_unsuppress(destination.deliver_to)])


def _unsuppress(address: str) -> list[str]:
    """Takes an address off the account's suppression list; a sentence if that changed anything.

    Also the address in lower case: SES does not say which spelling its list has.
    """
    ses, removed = boto3.client("sesv2"), False
    for spelling in dict.fromkeys((address, address.lower())):
        try:
            ses.delete_suppressed_destination(EmailAddress=spelling)
            removed = True
        except ses.exceptions.NotFoundException:
            continue
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return [f"SES's suppression list could not be changed: {code}."]
    return ["SES's suppression list had it, and sends to it again."] if removed else []


def _rotate_keys(_: argparse.Namespace) -> str:
    manager, arn = boto3.client("secretsmanager"), os.environ["CODE_KEYS_SECRET"]
    keys = json.loads(manager.get_secret_value(SecretId=arn)["SecretString"])
    before = keys.pop("current")
    current = f"k{int(before.removeprefix('k')) + 1}"
    kept = sorted(keys, key=lambda key_id: int(key_id.removeprefix("k")))[-_EARLIER_KEYS_KEPT:]
    rotated = (
        {"current": current}
        | {key_id: keys[key_id] for key_id in kept}
        | {current: secrets.token_urlsafe(48)}
    )
    manager.put_secret_value(SecretId=arn, SecretString=json.dumps(rotated))
    return (
        f"New codes use the key {current} within 5 minutes. "
        f"Codes that were sent with {before} stay valid."
    )


def _secret(arguments: argparse.Namespace) -> str:
    if arguments.name not in _SECRETS:
        raise ValueError(
            f"There is no secret {arguments.name!r} to show. There are: {', '.join(_SECRETS)}."
        )
    about = boto3.client("secretsmanager").get_secret_value(
        SecretId=os.environ[_SECRETS[arguments.name]]
    )
    return str(about["SecretString"])


if __name__ == "__main__":
    sys.exit(main())
