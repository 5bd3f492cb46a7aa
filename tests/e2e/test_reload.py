"""Reload on a running stack: it names a mistake, the fix works, and no call fails meanwhile."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from infra import sam
from infra.generate.new_test import NewTest
from infra.generate.plan import Plan, plan
from infra.generate.write import write
from tests.e2e.conftest import LocalStack, eventually

HANDLER = "functions/workflows/verify_delete/handler.py"
NOBODY = {"verification_id": "k1.ER1Ec48KUqvBAvQDJXBAIA"}
CALLERS = 4


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, which a test may break."""
    ignored = shutil.ignore_patterns("__pycache__", "requirements.txt")
    for folder in ("functions", "infra", "tests/events", "tests/workflows"):
        shutil.copytree(sam.ROOT / folder, tmp_path / "project" / folder, ignore=ignored)
    shutil.copy(sam.TEMPLATE, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def stack(tmp_path: Path, project: Path) -> Iterator[LocalStack]:
    """The stack of the copy, with a handler that cannot be imported."""
    with (project / HANDLER).open("a") as handler:
        handler.write("broken = nothing_of_that_name\n")
    running = LocalStack.start(tmp_path / "state", project)
    yield running
    running.stop()


def change(stack: LocalStack, path: Path, text: str, until: str) -> None:
    """Writes a file, and waits for the terminal's response."""
    before = stack.text.count(until)
    path.write_text(text)
    eventually(
        f"{until!r} is printed once more",
        lambda: stack.text,
        lambda text: text.count(until) > before,
    )


def test_a_stack_is_mended_changed_and_extended_while_it_is_up(
    stack: LocalStack, project: Path
) -> None:
    sound = (sam.ROOT / HANDLER).read_text()
    error = "NameError: name 'nothing_of_that_name' is not defined"
    place = f"{HANDLER}:{len(sound.splitlines()) + 1}: {error}"
    with stack.api() as api:
        answer = api.post("/workflows/verify_delete", json=NOBODY)
        assert (answer.status_code, answer.headers["content-type"]) == (
            500,
            "application/problem+json",
        )
        assert answer.json()["code"] == "internal_error"
        assert place in answer.json()["detail"]
        stack.wait_for_text(f"cannot be imported: {place}\n")
        assert re.search(r"^ +broken = nothing_of_that_name$", stack.text, re.MULTILINE)

        # Slow, so that calls are in progress whenever the code is replaced.
        first = "    deleted = delete("
        assert first in sound
        slow = sound.replace(first, f"    __import__('time').sleep(0.2)\n{first}")
        change(stack, project / HANDLER, slow, "code reloaded")
        eventually(
            "openapi.json is made of the mended code", lambda: api.get("/openapi.json").is_success
        )
        statuses = call_while(
            api, lambda: change(stack, project / HANDLER, slow + "# changed\n", "code reloaded")
        )
        assert set(statuses) == {200}
        assert len(statuses) >= CALLERS

        # The token's scopes are cached, and do not include that of the new workflow.
        planned = plan(project, "wave", "blank")
        write(project, planned, unchecked)
        stack.wait_for_text("deployed in")
        assert api.post("/workflows/wave", json={"name": "Ana"}).json() == {"text": "Hello, Ana"}
        assert "/workflows/wave" in api.get("/openapi.json").json()["paths"]

        settings = project / "functions/settings.toml"
        wrong = settings.read_text() + "[stage.local.verification]\ncode_length = 5\n"
        line = len(wrong.splitlines())
        told = f"functions/settings.toml:{line}: code_length cannot be 5: expected int >= 6."
        change(stack, settings, wrong, told)
        change(stack, settings, wrong.replace("= 5\n", "= 8\n"), "code reloaded")
        sent = api.post("/workflows/verify_send", json={"channel": "email", "to": "a@example.com"})
        assert sent.json()["code_length"] == 8


def call_while(api: httpx.Client, action: Callable[[], None]) -> list[int]:
    """Statuses of calls by several callers, from before the action until after it."""
    done = threading.Event()
    statuses: list[int] = []

    def call() -> None:
        last = False
        while not last:
            last = done.is_set()
            statuses.append(api.post("/workflows/verify_delete", json=NOBODY).status_code)

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    eventually("calls are under way", lambda: statuses, lambda seen: len(seen) >= CALLERS)
    action()
    done.set()
    for caller in callers:
        caller.join()
    return statuses


def unchecked(_: Path, planned: Plan) -> NewTest:
    return planned.tests[0]
