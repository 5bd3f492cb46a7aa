"""Starts the process of the authorizer, on which the first call of every function would wait."""

import json
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.deploy import STACK, Deployment
from infra.local.development import SECRET
from infra.local.gate import Gate

_FUNCTION = f"{STACK}-authorize"


def start_authorizer(deployment: Deployment, gate: Gate) -> None:
    """Asks it about the development token. If it cannot be imported, the first call says so.

    Calls wait meanwhile, as the emulator would start another process for them.
    """
    event = {"headers": {"authorization": f"Bearer {SECRET}"}}
    with gate.closed(), suppress(BotoCoreError, ClientError):
        deployment.emulator.client("lambda").invoke(
            FunctionName=_FUNCTION, Payload=json.dumps(event).encode()
        )
