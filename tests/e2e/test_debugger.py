"""`make run DEBUG=<function>`: an editor stops in the function, over HTTP and in runs."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from infra import sam
from tests.e2e import runs
from tests.e2e.conftest import LocalStack
from tests.e2e.debugger import Debugger

NAME = "send_email_template"
SOURCE = sam.ROOT / f"functions/workflows/{NAME}/handler.py"
MARKED = "reply_to = mailing.read_reply_to(parameters.reply_to)\n"
IMPORTED = "__import__('importlib').import_module('functions.core"
T = TypeVar("T")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    stack = LocalStack.start(tmp_path / "debugged", DEBUG=NAME)
    yield stack
    stack.stop()


def message(to: str) -> dict[str, Any]:
    data = {"subject": "Hello", "heading": "Hello", "paragraphs": ["Your order is on its way."]}
    return {"to": to, "template": "message", "data": data}


def begun(call: Callable[[], T]) -> Callable[[], T]:
    """Starts a call in a thread; returns what waits for its result."""
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()

    def result() -> T:
        thread.join(60)
        (found,) = results
        return found

    return result


@pytest.mark.soak(only=True)
def test_a_breakpoint_stops_a_call_and_each_item_of_a_run(stack: LocalStack) -> None:
    line = SOURCE.read_text().partition(MARKED)[0].count("\n") + 1
    told = stack.wait_for_text(f"{NAME} will wait for a debugger on 127.0.0.1:")
    port = re.search(r"on 127\.0\.0\.1:(\d+) when", told)
    assert port
    with stack.api() as api:
        path = f"/workflows/{NAME}"
        first = begun(lambda: api.post(path, json=message("first@example.com")))
        stack.wait_for_text(f"{NAME} waits for a debugger on 127.0.0.1:{port[1]}")
        with Debugger(int(port[1]), SOURCE, line) as debugger:
            stopped = debugger.stopped()
            assert (stopped["path"], stopped["line"]) == (str(SOURCE), line)
            assert "first@example.com" in stopped["names"]["recipients"]

            # A call that comes meanwhile is answered.
            assert api.post(path, json=message("second@example.com")).status_code == 200
            stack.wait_for_text("this one does not stop")

            assert debugger.value(f"{IMPORTED}.deadline').remaining_seconds()") == "inf"
            debugger.go_on()
            assert first().status_code == 200

            run = runs.start(api, NAME, items=[message(f"{n}@example.com") for n in range(3)])
            seen = []
            for _ in range(3):  # one after another, as each is stopped
                seen.append(debugger.stopped()["names"]["recipients"])
                left = debugger.value(f"{IMPORTED}.triggers.run_item').BUDGET_SECONDS")
                assert left == "inf"
                debugger.go_on()
            assert sorted(seen) == [f"['{n}@example.com']" for n in range(3)]
            assert runs.counts(runs.ended(api, run["run_id"])) == (0, 0, 3, 0)

        # Without a debugger, the process goes on.
        assert api.post(path, json=message("third@example.com")).status_code == 200


def test_a_function_that_does_not_exist_is_told(tmp_path: Path) -> None:
    stack = LocalStack.start(tmp_path / "none", DEBUG="verify_sent", check=False)
    assert stack.exit_status == 1
    assert "no function 'verify_sent'. Did you mean verify_send? There are: auth" in stack.text
