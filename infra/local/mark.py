"""Mark of what is deployed, so that a start with the same template and settings deploys nothing.

It is a secret of the emulator. So it is saved with the stack, and lost with it when the emulator is
killed. It names the stack's last change, so that it does not hold after a change by anybody else:
by code of an earlier commit, for example, which leaves the mark as it is.
"""

import hashlib
import json
from importlib.metadata import version
from typing import Any

from infra.local.emulator import Emulator

_NAME = "local-deployed"
_NOTHING = "{}"


def digest(template: dict[str, Any], parameters: dict[str, str]) -> str:
    """Digest of what is to be deployed, and of the emulator's version."""
    wanted = [template, parameters, version("ministack")]
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


def origins(emulator: Emulator, wanted: str, changed_at: str) -> list[str] | None:
    """Origins that the API allows, if just this is deployed and was checked; none otherwise.

    Args:
        emulator: keeps the mark.
        wanted: digest of what is to be deployed.
        changed_at: time of the stack's last change.
    """
    secrets = emulator.client("secretsmanager")
    try:
        deployed = json.loads(secrets.get_secret_value(SecretId=_NAME)["SecretString"])
    except secrets.exceptions.ResourceNotFoundException:
        return None
    is_deployed = (deployed.get("digest"), deployed.get("changed_at")) == (wanted, changed_at)
    return list(deployed["origins"]) if is_deployed else None


def forget(emulator: Emulator) -> None:
    """Called before a change, which may fail halfway."""
    secrets = emulator.client("secretsmanager")
    try:
        secrets.put_secret_value(SecretId=_NAME, SecretString=_NOTHING)
    except secrets.exceptions.ResourceNotFoundException:
        secrets.create_secret(Name=_NAME, SecretString=_NOTHING)


def remember(emulator: Emulator, deployed: str, changed_at: str, origins: list[str]) -> None:
    """Called after a change that was checked."""
    text = json.dumps({"digest": deployed, "changed_at": changed_at, "origins": origins})
    emulator.client("secretsmanager").put_secret_value(SecretId=_NAME, SecretString=text)
