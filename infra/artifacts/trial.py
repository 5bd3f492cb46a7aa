"""Trial of a pruned artifact: all that its handler can import, and all that it can ask of AWS."""

import json
import subprocess
from pathlib import Path

from infra.artifacts.artifact import Artifact
from infra.artifacts.declared import NOT_TRIED
from infra.runtime import Runtime

_INSIDE = Path(__file__).with_name("inside.py")
_VARIABLES = {
    "HOME": "/nonexistent",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def missing_in(artifact: Artifact, runtime: Runtime) -> list[str]:
    """Sentences about what an artifact cannot import or ask of AWS.

    It has all its modules imported, and each operation called of services that were cut. Nothing is
    sent.
    """
    asked = {
        "modules": sorted(artifact.reach.modules.keys() - NOT_TRIED),
        "services": sorted(artifact.calls.cut),
    }
    command = [
        runtime.python,
        "-I",
        "-S",
        "-B",
        str(_INSIDE),
        str(artifact.folder),
        str(runtime.client),
    ]
    done = subprocess.run(  # noqa: S603 - our own code
        command,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        env=_VARIABLES,
        cwd="/",
    )
    lines = done.stdout.splitlines() + ([done.stderr] if done.returncode else [])
    return [f"{artifact.folder.name}: {line}" for line in lines]
