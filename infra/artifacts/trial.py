"""Trial of a pruned artifact: all that its handler can import, and all that it can ask of AWS."""

import json
import subprocess
from pathlib import Path
from typing import Any

from infra.artifacts.artifact import Artifact
from infra.artifacts.reach import PROJECT, of
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
    sent. A module of a package may fail for a reason of its own, as one for Windows does.
    """
    asked = {
        "modules": sorted(artifact.reach.modules),
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
    if done.returncode:
        return [f"{artifact.folder.name}: {done.stderr}"]
    return [
        f"{artifact.folder.name}: {failed['what']} does not work: {failed['error']}"
        for failed in json.loads(done.stdout)
        if _is_ours(failed, artifact)
    ]


def _is_ours(failed: dict[str, Any], artifact: Artifact) -> bool:
    """Whether a failure is the project's own, or comes of what does not ship."""
    lacks = failed.get("lacks")
    return lacks is None or of(failed["what"], PROJECT) or not artifact.gone.isdisjoint(lacks)
