"""`make invoke`: calls functions of the local stack without HTTP.

Each runs in the stack's environment and with its own role.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import sam
from infra.invoke import invoke_deployed
from infra.local.state import Running, write_running
from infra.runtime import FunctionFailed
from tests import fakes
from tests.e2e.conftest import LocalStack

POWERLESS = "without_rights"


def run(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.invoke", "--state", str(state), *words]
    return subprocess.run(command, cwd=sam.ROOT, capture_output=True, text=True, check=False)


def direct(**parameters: str) -> str:
    return json.dumps({"trigger": "direct", "parameters": parameters})


def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)["result"]
    return answer


@pytest.fixture
def powerless(stack: LocalStack) -> Iterator[str]:
    """verify_send with the role of verify_check, which may send nothing."""
    client = stack.emulator.client("lambda")
    like = client.get_function_configuration(FunctionName="local-wf-verify_send")
    other = client.get_function_configuration(FunctionName="local-wf-verify_check")
    client.create_function(
        FunctionName=f"local-wf-{POWERLESS}",
        Role=other["Role"],
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        **{name: like[name] for name in ("Runtime", "Handler", "Timeout", "MemorySize")},
        Environment={"Variables": like["Environment"]["Variables"]},
    )
    yield POWERLESS
    client.delete_function(FunctionName=f"local-wf-{POWERLESS}")


def test_a_code_is_sent_and_checked(stack: LocalStack, email: str, tmp_path: Path) -> None:
    sent = run(stack.state, "verify_send", direct(channel="email", to=email))
    assert '"message":"answered"' in sent.stderr
    event = tmp_path / "event.json"
    event.write_text(
        direct(verification_id=result(sent)["verification_id"], code=stack.code(email))
    )
    assert result(run(stack.state, "verify_check", str(event)))["valid"] is True


def test_the_event_is_the_functions_sample_when_none_is_given(stack: LocalStack) -> None:
    assert result(run(stack.state, "verify_check"))["valid"] is False


def test_a_function_may_do_no_more_than_its_role(
    stack: LocalStack, powerless: str, email: str
) -> None:
    done = run(stack.state, powerless, direct(channel="email", to=email))
    assert (done.returncode, done.stdout) == (1, "")
    assert "AccessDeniedException" in done.stderr.splitlines()[-1]
    assert stack.inbox(email) == []


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = run(tmp_path, "verify_check")
    assert (done.returncode, done.stdout) == (1, "")
    assert "The local stack is not running. Start it in another terminal: make run" in done.stderr


def test_a_stack_that_was_killed_is_not_running_either(tmp_path: Path) -> None:
    write_running(tmp_path, Running(url=fakes.nobody(), emulator_url=fakes.nobody(), outputs={}))
    done = run(tmp_path, "verify_check")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(r"The local stack does not answer .*make run$", done.stderr.strip())


def test_without_awss_client_the_emulator_behaves_the_same(
    stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    event = json.loads((sam.ROOT / "tests/events/verify_check.json").read_text())
    answer = invoke_deployed(stack.emulator, "local-wf-verify_check", event)
    assert answer["result"]["valid"] is False
    assert '"message":"answered"' in capsys.readouterr().err
    with pytest.raises(FunctionFailed, match="schedule_id"):
        invoke_deployed(stack.emulator, "local-schedules", {"trigger": "schedule"})
    assert "Traceback" in capsys.readouterr().err
