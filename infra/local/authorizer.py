"""Starts the process of the authorizer, on which the first call of every function would wait."""

import json
import threading
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.deploy import STACK, Deployment
from infra.local.development import SECRET

_FUNCTION = f"{STACK}-authorize"


def start_authorizer(deployment: Deployment, ready: threading.Event) -> None:
    """Asks it about the development token. If it cannot be imported, the first call says so.

    Calls with a token wait until it is ready, as the emulator would start another process for them.
    """
    event = {"headers": {"authorization": f"Bearer {SECRET}"}}
    ready.clear()
    try:
        with suppress(BotoCoreError, ClientError):
            deployment.emulator.client("lambda").invoke(
                FunctionName=_FUNCTION, Payload=json.dumps(event).encode()
            )
    finally:
        ready.set()
