"""File for `sam local invoke --env-vars`: every function's environment, by its logical id.

The SAM CLI resolves `!Ref` to the logical id and most of `!GetAtt` to nothing, so a function would
find none of its tables, secrets and roles. It sets only variables that template.yaml names, so the
Globals there name the local ones too.
"""

import json
from pathlib import Path

from infra.local.deploy import Deployment


def write_sam_env(state: Path, deployment: Deployment) -> None:
    """Writes the file for the current deployment."""
    configurations = deployment.configurations()
    endpoint = {"AWS_ENDPOINT_URL": deployment.emulator.url}
    environments = {
        logical_id: configurations[name]["Environment"]["Variables"] | endpoint
        for name, logical_id in deployment.logical_ids().items()
    }
    _file(state).write_text(json.dumps(environments, indent=1))


def forget_sam_env(state: Path) -> None:
    """Deletes the file when the emulator stops; the SAM CLI then reports it missing."""
    _file(state).unlink(missing_ok=True)


def _file(state: Path) -> Path:
    return state / "sam-env.json"
