"""Runs `sam local invoke` with the SAM CLI's own code until Docker would start a container, and
prints what that container would get. Its one argument is a JSON object: the words that follow
`sam local invoke`, by logical id. It runs under `.venv-sam/bin/python`.
"""

import json
import sys
from typing import Any
from unittest import mock

from click.testing import CliRunner
from samcli.cli.main import cli
from samcli.local.lambdafn.runtime import LambdaRuntime

_PYPI = "samcli.lib.utils.version_checker._inform_newer_version"
_DOCKER = "samcli.local.docker.container_client_factory.ContainerClientFactory.create_client"


def main() -> None:
    """Prints one JSON object: by logical id the handler, mounted folder, environment and event."""
    calls = json.loads(sys.argv[1])
    containers = {name: _container(name, words) for name, words in calls.items()}
    sys.stdout.write(json.dumps(containers))


def _container(name: str, words: list[str]) -> dict[str, Any]:
    container = mock.patch.object(LambdaRuntime, "invoke", return_value=None)
    with mock.patch(_PYPI), mock.patch(_DOCKER), container as invoke:
        done = CliRunner().invoke(cli, ["local", "invoke", name, *words])
    if done.exit_code or not invoke.called:
        sys.exit(f"sam local invoke {name}: {done.output or done.exception!r}")
    config, event = invoke.call_args.args[:2]
    return {
        "handler": config.handler,
        "folder": config.code_abs_path,
        "environment": config.env_vars.resolve(),
        "event": json.loads(event),
    }


if __name__ == "__main__":
    main()
