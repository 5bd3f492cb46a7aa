"""Modules that a function's init imports; `python -m tests.init_imports` records their number.

Python's own are not counted, as they differ by its version.
"""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from infra import sam
from tests.bench.aws.server import AwsStandIn
from tests.bench.jobs.events import SECRETS
from tests.bench.jobs.job import JOBS
from tests.roles import HANDLERS

RECORD = Path(__file__).with_suffix(".json")

_CODE = """
import importlib, sys
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(*sorted(set(sys.modules) - before))
"""
_VARIABLES = {name: value for job in JOBS for name, value in job.variables.items()} | {
    "STAGE": "dev",
    "REGISTRATION_TOKEN_SECRET": "RegistrationToken",
    "POWERTOOLS_METRICS_NAMESPACE": "Init",
    "POWERTOOLS_SERVICE_NAME": "init",
    "AWS_LAMBDA_FUNCTION_NAME": "init",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "HOME": "/nonexistent",
    "PATH": os.defpath,
}


@cache
def imported(function: str) -> frozenset[str]:
    """Modules that the init of a function imports, by the function's logical id."""
    with AwsStandIn({}, SECRETS) as aws:
        done = subprocess.run(
            [sys.executable, "-c", _CODE, HANDLERS[function]],
            cwd=sam.ROOT,
            env=_VARIABLES | {"AWS_ENDPOINT_URL": aws.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return frozenset(name for name in done.stdout.split() if not _is_pythons(name))


def _is_pythons(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names or name.startswith("_sysconfigdata")


def recorded() -> dict[str, int]:
    """Number of modules by function."""
    counts: dict[str, int] = json.loads(RECORD.read_text())
    return counts


if __name__ == "__main__":
    counts = {function: len(imported(function)) for function in sorted(HANDLERS)}
    RECORD.write_text(json.dumps(counts, indent=2) + "\n")
