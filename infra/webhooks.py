"""`make webhook-secret`: sets what a source of webhooks signs with. The one before is accepted too, so that it can be changed
on both sides one after the other.
"""

import argparse
import base64
import getpass
import os
import secrets
import sys

import boto3

from functions.core.signing.keys import read_keys, standard_key, with_new
from infra import stack_target

_KEY_BYTES = 32
"""Standard Webhooks, "Signature scheme": 24 to 64."""


def main() -> int:
    """Runs the command; 1 with a sentence when it cannot."""
    parser = argparse.ArgumentParser(prog="infra.webhooks", description=__doc__)
    stack_target.add_arguments(parser)
    parser.add_argument("source", help="of functions/api/webhooks/sources.toml")
    return stack_target.run_command(parser.parse_args(), _set)


def _set(arguments: argparse.Namespace) -> str:
    from functions.api.webhooks.sources import sources  # noqa: PLC0415 - needs what ships

    name = arguments.source
    source = sources().get(name)
    if source is None or source.secret is None:
        there = ", ".join(name for name, each in sources().items() if each.secret)
        raise ValueError(
            f"{name!r} is no source with a secret in sources.toml. There are: {there}."
        )
    given = _typed(source.scheme)
    key = given or _new_key()
    if source.scheme == "standard":
        standard_key(key)
    kept = _put(os.environ["WEBHOOK_SECRETS"] + source.secret, key)
    shown = (
        "" if given else f"{key}\n\nThis is the only time that it is shown: give it to the source. "
    )
    also = " The one before is accepted as well, until this is done again." if kept else ""
    return f"{shown}Within 5 minutes deliveries of {name} are checked with it.{also}"


def _typed(scheme: str) -> str:
    """What stands on standard input or is typed; only of Standard Webhooks may it be nothing, for a new one."""
    asked = f"The secret that the source signs with ({scheme}): "
    text = (getpass.getpass(asked) if sys.stdin.isatty() else sys.stdin.read()).strip()
    if not text and scheme != "standard":
        raise ValueError("The secret is empty: type it, or give it on standard input.")
    return text


def _new_key() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _put(name: str, key: str) -> bool:
    """Whether another one was there, and stays besides."""
    manager = boto3.client("secretsmanager")
    try:
        before = manager.get_secret_value(SecretId=name)["SecretString"]
    except manager.exceptions.ResourceNotFoundException:
        manager.create_secret(Name=name, SecretString=key)
        return False
    if text := with_new(before, key):
        manager.put_secret_value(SecretId=name, SecretString=text)
    return len(read_keys(text or before)) > 1


if __name__ == "__main__":
    sys.exit(main())
