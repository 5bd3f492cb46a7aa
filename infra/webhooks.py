"""`make webhook-secret`: sets the secret with which a source signs its webhooks.

The previous secret stays valid, so that both sides can change one after the other.
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
"""Standard Webhooks, "Signature scheme": 24 to 64 bytes."""


def main() -> int:
    """Runs the command; 1 with a sentence if it fails."""
    parser = argparse.ArgumentParser(prog="infra.webhooks", description=__doc__)
    stack_target.add_arguments(parser)
    parser.add_argument("source", help="name of a source in functions/api/webhooks/sources.toml")
    return stack_target.run_command(parser.parse_args(), _set)


def _set(arguments: argparse.Namespace) -> str:
    # Needs the packages that ship.
    from functions.api.webhooks.declared.challenge import verify_token  # noqa: PLC0415
    from functions.api.webhooks.sources import mistakes_of, sources  # noqa: PLC0415

    name = arguments.source
    source = sources().get(name)
    if source is None and (wrong := mistakes_of(name)):
        raise ValueError(f"sources.toml:{wrong[0].line}: {wrong[0].sentence}")
    if source is None or source.secret is None:
        signing = ", ".join(name for name, each in sources().items() if each.secret)
        raise ValueError(
            f"{name!r} is no source with a secret in sources.toml. There are: {signing}."
        )
    typed = _typed(source.scheme)
    key = typed or _CHOSEN_HERE[source.scheme]()
    if source.scheme == "standard":
        standard_key(key)
    kept = _put(os.environ["WEBHOOK_SECRETS"] + source.secret, key)
    shown = (
        "" if typed else f"{key}\n\nThis is the only time that it is shown: give it to the source. "
    )
    also = " The previous secret stays valid until you set another one." if kept else ""
    asks = f" Its verify token is {verify_token(key)}" if source.verify_token_query else ""
    return f"{shown}Deliveries of {name} are verified with it within 5 minutes.{also}{asks}"


def _typed(scheme: str) -> str:
    """Secret from the terminal or standard input; empty for a new one, where we choose it."""
    prompt = f"The secret that the source signs with ({scheme}): "
    text = (getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.read()).strip()
    if not text and scheme not in _CHOSEN_HERE:
        raise ValueError("The secret is empty. Type it, or pass it on standard input.")
    return text


def _new_key() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _new_token() -> str:
    return secrets.token_urlsafe(_KEY_BYTES)


_CHOSEN_HERE = {"standard": _new_key, "token": _new_token}
"""Makers of new secrets for the schemes whose secret the source does not choose."""


def _put(name: str, key: str) -> bool:
    """Stores a key; true if a previous one stays valid beside it."""
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
