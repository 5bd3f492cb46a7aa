"""`make run` itself: its output, its errors, schedules that fire, and the state it keeps."""

import json
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from infra.local.development import PUBLISHABLE, SECRET
from tests.builders.parameters import send_parameters
from tests.e2e.conftest import LocalStack, eventually


def schedules(stack: LocalStack) -> list[str]:
    listed = stack.emulator.client("scheduler").list_schedules(GroupName="local-verifications")[
        "Schedules"
    ]
    return [schedule["Name"] for schedule in listed]


def last_update(stack: LocalStack) -> object:
    about = stack.emulator.client("cloudformation").describe_stacks(StackName="local")
    return about["Stacks"][0].get("LastUpdatedTime")


def rename_app(stack: LocalStack, old: str, new: str) -> None:
    """Deploys the stack's template with another name, by CloudFormation alone."""
    cloudformation, s3 = stack.emulator.client("cloudformation"), stack.emulator.client("s3")
    text = json.dumps(cloudformation.get_template(StackName="local")["TemplateBody"])
    assert old in text
    s3.put_object(Bucket="local-artifacts", Key="renamed.json", Body=text.replace(old, new))
    (about,) = cloudformation.describe_stacks(StackName="local")["Stacks"]
    cloudformation.update_stack(
        StackName="local",
        TemplateURL=f"{stack.emulator.url}/local-artifacts/renamed.json",
        Parameters=about["Parameters"],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName="local", WaiterConfig={"Delay": 1}
    )


def make_tokens_of_earlier_version(stack: LocalStack) -> dict[str, str]:
    """Makes a state of an earlier version, with fewer workflows; returns its tokens."""
    few = "workflow:verify_send"
    done = stack.token("rescope", "--name", "development secret", "--scopes", few)
    assert done.returncode == 0, done.stderr
    earlier = {kind: stack.new_token(kind, few)["token"] for kind in ("secret", "publishable")}
    (stack.state / "tokens.json").touch(0o600)
    (stack.state / "tokens.json").write_text(json.dumps(earlier | {"scopes": few}))
    return earlier


def subject_of_code(stack: LocalStack, to: str) -> str:
    """Subject of the email with a code that is sent now."""
    with stack.api() as api:
        sent = api.post("/workflows/verify_send", json=send_parameters(to))
    assert sent.status_code == 200, sent.text
    return str(stack.inbox(to)[0]["subject"])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., LocalStack]]:
    """Starts local stacks on one state, and stops those that are still up after the test."""
    started: list[LocalStack] = []

    def start(**settings: object) -> LocalStack:
        started.append(LocalStack.start(tmp_path, check=False, **settings))
        return started[-1]

    yield start
    for stack in started:
        stack.end()


def test_a_whole_life_of_a_local_stack(start: Callable[..., LocalStack]) -> None:
    stack = start(DELETE_AFTER_SECONDS=10)
    assert re.search(r"^ready in ", stack.text, re.MULTILINE)
    tokens = stack.printed("secret"), stack.printed("publishable")
    assert tokens == (SECRET, PUBLISHABLE)
    assert stack.printed("console") == f"{stack.url}/"
    assert stack.text.count("  curl -s ") == 3

    # The schedule fires: the record is gone, and so is the schedule.
    with stack.api() as api:
        sent = api.post("/workflows/verify_send", json=send_parameters("ana@example.com")).json()
    assert stack.verification(sent["verification_id"])
    assert schedules(stack) == [sent["verification_id"]]
    stack.wait_for_text("email to ana@example.com: Your verification code for Our app")
    eventually(
        "the record is deleted",
        lambda: stack.verification(sent["verification_id"]),
        lambda record: record is None,
    )
    eventually("no schedule is left", lambda: schedules(stack), lambda names: names == [])
    deleted = eventually(
        "the deletion is logged",
        lambda: [line for line in stack.logs() if '"workflow":"verify_delete"' in line],
    )
    assert ['"trigger":"schedule"' in line and '"status":200' in line for line in deleted] == [True]

    # A second stack on the same state is refused, whatever its port.
    second = start(PORT=httpx.URL(stack.url).port)
    assert second.exit_status == 1
    assert "already running on the state" in second.text
    assert "is in use" not in second.text

    earlier = make_tokens_of_earlier_version(stack)

    # Ctrl-C stops it cleanly, and the state survives.
    assert (stack.state / "sam-env.json").exists()
    stack.stop()
    assert stack.exit_status == 0
    assert not (stack.state / "sam-env.json").exists()
    assert "the state is kept" in stack.text
    # Only the user can read it.
    assert [
        path for path in [stack.state, *stack.state.rglob("*")] if path.stat().st_mode & 0o077
    ] == []
    port = httpx.URL(stack.url).port
    again = start(APP_NAME="Another name", PORT=port)
    assert "the earlier ones of this state are revoked" in again.text
    assert (again.printed("secret"), again.printed("publishable")) == tokens
    assert [message["to"] for message in again.inbox("ana@example.com")] == ["ana@example.com"]
    with again.api() as api:
        deletion = {"verification_id": sent["verification_id"]}
        assert api.post("/workflows/verify_delete", json=deletion).status_code == 200, (
            "the token lacks the scope of a new workflow"
        )
    with again.api(earlier["secret"]) as api:
        assert (
            api.post("/workflows/verify_send", json=send_parameters("c@example.com")).status_code
            == 403
        )
    assert subject_of_code(again, "bo@example.com") == "Your verification code for Another name"

    # A killed run leaves an emulator behind; the next start stops it and continues. It has the same
    # template and settings, so it deploys nothing.
    updated = last_update(again)
    assert again.process
    again.process.kill()
    again.process.wait()
    third = start(APP_NAME="Another name", PORT=port)
    assert not third.exited, third.text
    assert last_update(third) == updated
    assert subject_of_code(third, "dan@example.com") == "Your verification code for Another name"

    # The code of an earlier commit, which knows no mark, deploys on the same state. The next start
    # does not take that for its own.
    rename_app(third, "Another name", "An earlier commit")
    third.stop()
    fourth = start(APP_NAME="Another name", PORT=port)
    assert not fourth.exited, fourth.text
    assert subject_of_code(fourth, "eve@example.com") == "Your verification code for Another name"


def test_a_port_in_use_is_said(start: Callable[..., LocalStack]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stack = start(PORT=port)
        assert stack.exit_status == 1
    assert f"Port {port} is in use" in stack.text
    assert f"make run PORT={port + 1}" in stack.text


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"COLOUR": "red"}, "No such setting: COLOUR"),
        ({"PORT": "many"}, "PORT must be a number"),
        ({"CODE_LENGTH": "3"}, "CODE_LENGTH"),
        ({"DELETE_AFTER_SECONDS": "soon"}, "DELETE_AFTER_SECONDS"),
        ({"APP_NAME": "x" * 41}, "APP_NAME"),
    ],
)
def test_a_setting_that_cannot_be_is_said_before_anything_starts(
    settings: dict[str, str], sentence: str, start: Callable[..., LocalStack]
) -> None:
    stack = start(**settings)
    assert stack.exit_status == 1
    assert sentence in stack.text
    assert "starting the emulator" not in stack.text


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells in /proc who listens where")
def test_nothing_listens_but_on_loopback(stack: LocalStack) -> None:
    assert httpx.URL(stack.url).host == "127.0.0.1"
    ports = {httpx.URL(stack.url).port, httpx.URL(stack.running.emulator_url).port}
    hexed = {f"{port:04X}" for port in ports}
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    bound = {
        row[1].split(":")[0]
        for row in listening
        if row[3] == "0A" and row[1].split(":")[1] in hexed
    }
    assert bound == {"0100007F"}
