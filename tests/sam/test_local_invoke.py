"""`sam local invoke` on the local stack, without the container.

The SAM CLI's own code reads samconfig.toml, template.yaml and the file that `make run` wrote. Each
function runs in the resulting environment.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra import sam
from infra.invoke import invoke
from infra.local.deploy import Deployment
from infra.runtime import LambdaFunction
from tests import fakes
from tests.e2e.conftest import LocalStack

PYTHON = sam.ROOT / ".venv-sam/bin/python"
EVENTS = sam.ROOT / "tests/events"
FUNCTIONS = {
    name: about["Properties"]
    for name, about in sam.read_template()["Resources"].items()
    if about["Type"] == "AWS::Serverless::Function"
}
STATUSES = {"Documents": 200, "RecordRegistration": 403, "Runs": 200, "Webhooks": 404}
"""Functions that are called over HTTP; their sample events come from a stranger."""
ANSWERS = {
    "Authorize": {"isAuthorized": False},
    "Events": {"events": 1},
    "Schedules": {"run_id": None},
}
"""Functions of the platform that AWS itself calls."""
LONG = {"DeliverEvent"}
"""Long workflows, which no call waits for."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The stack with EventsUrl, without which there is no function Events.

    The URL is on this machine, which only the local stack allows.
    """
    with fakes.server(lambda request, _: fakes.reply(request, 200, b"", {})) as receiver:
        running = LocalStack.start(
            tmp_path_factory.mktemp("stack"), EVENTS_URL=f"{receiver}/events"
        )
        yield running
        running.stop()


@pytest.fixture(scope="module")
def containers(stack: LocalStack) -> dict[str, dict[str, Any]]:
    """Container settings of each function, as `sam local invoke` makes them, by logical id."""
    file = stack.state / "sam-env.json"
    words = {name: ["--event", str(sample(name)), "--env-vars", str(file)] for name in FUNCTIONS}
    return until_docker(words)


def until_docker(words: dict[str, list[str]], folder: Path = sam.ROOT) -> dict[str, dict[str, Any]]:
    """Runs it without AWS credentials, on the source tree even if there is a build."""
    template = ["--template-file", str(folder / "template.yaml")]
    calls = {name: [*each, *template] for name, each in words.items()}
    done = subprocess.run(
        [PYTHON, sam.ROOT / "tests/sam/until_docker.py", json.dumps(calls)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def sample(name: str) -> Path:
    return EVENTS / f"{FUNCTIONS[name]['Handler'].split('.')[-3]}.json"


@cache
def deployed(stack: LocalStack) -> dict[str, dict[str, Any]]:
    """Lambda's configuration of each function, by logical id."""
    deployment = Deployment(stack.emulator, stack.running.outputs)
    known = deployment.configurations()
    return {logical_id: known[name] for name, logical_id in deployment.logical_ids().items()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_container_gets_the_environment_that_the_stack_gave_the_function(
    stack: LocalStack, containers: dict[str, dict[str, Any]], name: str
) -> None:
    given = containers[name]["environment"]
    expected = deployed(stack)[name]["Environment"]["Variables"]
    expected = expected | {"AWS_ENDPOINT_URL": stack.running.emulator_url}
    assert {variable: given.get(variable) for variable in expected} == expected
    assert given["AWS_REGION"] == "us-east-1"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_answers_its_sample_event_in_that_environment(
    containers: dict[str, dict[str, Any]], name: str
) -> None:
    container = containers[name]
    function = LambdaFunction(name, sam.ROOT, container["handler"], container["environment"])
    answer = invoke(function, container["event"], 60)
    if name in STATUSES:
        assert answer["statusCode"] == STATUSES[name], answer
    elif name in LONG:
        assert answer["problem"]["code"] == "only_in_background", answer
    else:
        assert answer == ANSWERS.get(name, {"result": answer.get("result"), "problem": None})


def test_the_code_that_it_sends_is_the_one_that_the_stack_checks(
    stack: LocalStack, containers: dict[str, dict[str, Any]]
) -> None:
    def answer(name: str, parameters: dict[str, str]) -> Any:
        container = containers[name]
        function = LambdaFunction(name, sam.ROOT, container["handler"], container["environment"])
        return invoke(function, {"trigger": "direct", "parameters": parameters}, 60)["result"]

    sent = answer("VerifySend", {"channel": "email", "to": "sam@example.com"})
    typed = {"verification_id": sent["verification_id"], "code": stack.code("sam@example.com")}
    with stack.api() as api:
        assert api.post("/workflows/verify_check", json=typed).json()["valid"] is True
    assert answer("VerifyCheck", typed)["valid"] is False  # a code works once


def test_samconfig_names_the_file_that_make_run_writes_beside_the_project(tmp_path: Path) -> None:
    for name in ("template.yaml", "samconfig.toml"):
        (tmp_path / name).write_bytes((sam.ROOT / name).read_bytes())
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/sam-env.json").write_text(
        json.dumps({"VerifySend": {"POWERTOOLS_LOG_LEVEL": "DEBUG"}})
    )
    (container,) = until_docker(
        {"VerifySend": ["--event", str(sample("VerifySend"))]}, tmp_path
    ).values()
    assert container["environment"]["POWERTOOLS_LOG_LEVEL"] == "DEBUG"
