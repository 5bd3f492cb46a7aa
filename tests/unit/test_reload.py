"""Reload: what changes in the running stack when files change, while calls wait."""

import base64
import hashlib
import io
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra import sam
from infra.local import deploy, reload
from infra.local.deploy import Deployment, source_files
from infra.local.gate import Gate
from infra.local.kept import Kept
from infra.local.reload import Reload

pytestmark = pytest.mark.slow

GREET = "functions/workflows/greet/handler.py"
CORE = "functions/core/words.py"
CODE = (
    "from functions.core.words import HELLO\n\n\n"
    "def lambda_handler(event, context):\n    return HELLO\n"
)


class FakeEmulator:
    """Emulator with the functions `greet` and `wave`, which keeps the code that they get."""

    url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.updated: list[str] = []
        self.code = b""
        self.meta = type("Meta", (), {"region_name": "us-east-1"})
        self.during: Callable[[], None] = lambda: None

    def client(self, _: str) -> Any:
        return self

    def describe_stack_resources(self, **_: object) -> dict[str, Any]:
        kind = "AWS::Lambda::Function"
        rows = [("greet", "Greet"), ("wave", "Wave")]
        about = ("PhysicalResourceId", "LogicalResourceId")
        return {
            "StackResources": [
                {"ResourceType": kind} | dict(zip(about, row, strict=True)) for row in rows
            ]
        }

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        handler = f"functions.workflows.{FunctionName}.handler.lambda_handler"
        return {"FunctionName": FunctionName, "Handler": handler, "Environment": {"Variables": {}}}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        digest = base64.b64encode(hashlib.sha256(self.code).digest()).decode()
        functions = [{"FunctionName": name, "CodeSha256": digest} for name in ("greet", "wave")]
        return [{"Functions": functions}]

    def update_function_code(self, FunctionName: str, ZipFile: bytes) -> None:  # noqa: N803 - as above
        self.during()
        self.updated.append(FunctionName)
        self.code = ZipFile


class Bench:
    """A watched project with two workflows."""

    def __init__(self, project: Path) -> None:
        self.project, self.emulator, self.gate = project, FakeEmulator(), Gate()
        self.said: list[str] = []
        self.deployments = 0
        self.error: Exception | None = None
        for folder in ("core", "workflows/greet", "workflows/wave"):
            (project / "functions" / folder).mkdir(parents=True)
        for path in (GREET, GREET.replace("greet", "wave")):
            (project / path).write_text(CODE)
        (project / CORE).write_text("HELLO = 'Hello'\n")
        (project / "template.yaml").write_text("Resources: {}\n")
        self.deployment = Deployment(self.emulator, {})  # type: ignore[arg-type] # a fake
        self.before: list[list[str]] = []
        self.reload = Reload(
            self.gate,
            self.say,
            self._redeploy,
            project,
            before_code=lambda: self.before.append([*self.emulator.updated]),
        )

    def say(self, text: str, tone: str = "plain") -> None:
        assert tone in {"plain", "warning", "error"}
        self.said.append(text)

    def _redeploy(self) -> Deployment:
        self.deployments += 1
        if self.error:
            raise self.error
        return self.deployment

    def write(self, path: str, text: str) -> list[str]:
        """Changes a file, looks once, and returns the lines that were printed."""
        (self.project / path).parent.mkdir(exist_ok=True)
        (self.project / path).write_text(text)
        return self.look()

    def look(self) -> list[str]:
        self.said.clear()
        self.emulator.updated.clear()
        self.deployment = self.reload.look(self.deployment)
        return self.said

    def running(self, path: str) -> str:
        return zipfile.ZipFile(io.BytesIO(self.emulator.code)).read(path).decode()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_nothing_happens_while_nothing_changes(bench: Bench) -> None:
    assert (bench.look(), bench.emulator.updated) == ([], [])


def test_a_change_in_a_workflows_folder_ends_no_call_of_another(bench: Bench) -> None:
    said = bench.write(GREET, CODE.replace("return HELLO", "return HELLO + '!'"))
    assert bench.emulator.updated == ["greet"], said
    assert "HELLO + '!'" in bench.running(GREET)
    assert said == ["functions/ changed: code reloaded"]


def test_a_mistake_in_one_source_of_webhooks_is_told_and_the_code_is_taken(bench: Bench) -> None:
    place = "functions/api/webhooks/sources.toml"
    (bench.project / place).parent.mkdir(parents=True)
    text = '[a]\nscheme = "github"\nsecret = "a"\nworkflow = "nowhere"\nparameters = "payload"\n'
    told, *_ = bench.write(place, text)
    assert told.startswith(f"this source of webhooks answers 503, and the others work: {place}:4: ")
    assert "[a] there is no workflow nowhere" in told
    assert bench.running(place) == text


def test_tokens_are_written_before_the_code_and_not_for_a_mistake(bench: Bench) -> None:
    bench.write(GREET, "def f(:\n")
    assert bench.before == []
    bench.write(GREET, CODE.replace("return HELLO", "return HELLO + '!'"))
    assert bench.before == [[]]


def test_a_change_elsewhere_is_put_into_every_function(bench: Bench) -> None:
    bench.write(CORE, "HELLO = 'Good day'\n")
    assert bench.emulator.updated == ["greet", "wave"]


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        (GREET, "def f(:\n", f"{GREET}:1: SyntaxError: invalid syntax\n    def f(:"),
        (GREET, "\nx = y\n", f"{GREET}:2: NameError: name 'y' is not defined\n    x = y"),
        (CORE, "BYE = 'Bye'\n", f"{GREET}:1: ImportError: cannot import name 'HELLO'"),
        (
            "functions/core/de.json",
            '{"a" 1}',
            "functions/core/de.json:1: invalid JSON: Expecting ':' delimiter",
        ),
    ],
)
def test_a_mistake_is_said_and_what_was_there_goes_on_until_it_is_mended(
    bench: Bench, path: str, text: str, told: str
) -> None:
    before = (bench.project / path).read_text() if (bench.project / path).exists() else "{}"
    said = bench.write(path, text)
    assert said[0].startswith(f"not reloaded, and the code before it goes on running: {told}")
    assert bench.emulator.updated == []
    assert bench.look() == [], "said once"
    assert bench.write(path, before + "\n") == ["functions/ changed: code reloaded"]


@pytest.mark.parametrize("mistake", ["def f(:\n", "x = y\n"])
def test_a_mistake_that_is_taken_back_is_said_to_be_mended_once(bench: Bench, mistake: str) -> None:
    bench.write(GREET, mistake)
    assert bench.write(GREET, CODE) == ["mended: functions/ is again the code that is running"]
    assert bench.emulator.updated == []
    (bench.project / GREET).touch()
    assert bench.look() == []


def test_a_mistake_from_before_the_start_is_said(bench: Bench) -> None:
    (bench.project / GREET).write_text("def f(:\n")
    Reload(bench.gate, bench.say, lambda: bench.deployment, bench.project).tell_mistakes()
    assert bench.said == [
        f"a function cannot work: {GREET}:1: SyntaxError: invalid syntax\n    def f(:"
    ]


def test_files_without_mistakes_are_parsed_once_and_those_with_one_at_each_start(
    bench: Bench, tmp_path: Path
) -> None:
    kept = Kept(tmp_path / "faultless")

    def start() -> None:
        reload = Reload(bench.gate, bench.say, lambda: bench.deployment, bench.project)
        reload.faultless = kept
        reload.tell_mistakes()

    start()
    found = [path.read_bytes() for path in tmp_path.glob("faultless")]
    assert len(found) == 1
    (bench.project / GREET).write_text("def f(:\n")
    start()
    start()
    assert len(bench.said) == 2
    assert (tmp_path / "faultless").read_bytes() == found[0]


@pytest.mark.parametrize("changed", ["python", *reload._CHECKS])
def test_files_that_were_without_mistakes_are_parsed_anew_by_another_python_or_other_checks(
    changed: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in reload._CHECKS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("as it was")
    monkeypatch.setattr(sam, "ROOT", tmp_path)
    bench.reload.faultless = Kept(tmp_path / "faultless")
    bench.reload.tell_mistakes()
    before = (tmp_path / "faultless").read_bytes()
    if changed == "python":
        monkeypatch.setattr(sys, "version", "3.14")
    else:
        (tmp_path / changed).write_text("as it is now")
    bench.reload.tell_mistakes()
    assert (tmp_path / "faultless").read_bytes() != before


def test_one_mistake_that_breaks_all_functions_is_said_once(bench: Bench) -> None:
    assert len(bench.write(CORE, "x = y\n")) == 1


def test_an_editors_temporary_files_do_not_ship(bench: Bench) -> None:
    for name in (".handler.py.swp", "handler.py~", ".#handler.py"):
        (bench.project / GREET).with_name(name).write_text("no code")
    assert bench.look() == []
    assert {path.name for path in source_files(bench.project)} == {"handler.py", "words.py"}


@pytest.mark.parametrize("path", ["template.yaml", "infra/run_workflow.asl.yaml"])
def test_a_change_of_the_stack_is_deployed(bench: Bench, path: str) -> None:
    said = bench.write(path, "Resources: {}\n# changed\n")
    assert bench.deployments == 1
    assert said[1].startswith("deployed in ")
    assert bench.look() == []


def test_a_stack_that_cannot_be_deployed_is_said_and_keeps_no_code_from_being_reloaded(
    bench: Bench,
) -> None:
    bench.error = sam.TemplateError("template.yaml:3: no")
    said = bench.write("template.yaml", "x")
    assert said[1] == "not deployed, and the stack is as it was: template.yaml:3: no"
    assert bench.look() == []
    assert bench.write(GREET, CODE + "\n") == ["functions/ changed: code reloaded"]
    bench.error = None
    assert bench.write("template.yaml", "Resources: {}\n")[1].startswith("deployed in ")
    assert bench.deployments == 2


def test_a_stack_that_changed_with_a_mistake_in_the_code_is_deployed_when_that_is_mended(
    bench: Bench,
) -> None:
    (bench.project / "template.yaml").write_text("Resources: {} # changed\n")
    bench.write(GREET, "def f(:\n")
    assert bench.deployments == 0
    bench.write(GREET, CODE)
    assert bench.deployments == 1


def test_an_unreachable_emulator_is_tried_again(bench: Bench) -> None:
    def refuse() -> None:
        raise ConnectionError("busy")

    bench.emulator.during = refuse
    assert bench.write(GREET, CODE + "\n") == ["not reloaded yet: ConnectionError: busy"]
    assert bench.look() == [], "said once"
    bench.emulator.during = lambda: None
    assert bench.look() == ["functions/ changed: code reloaded"]


def test_a_folder_without_a_function_is_no_workflow_yet_and_a_line_says_what_to_do(
    bench: Bench,
) -> None:
    said = bench.write("functions/workflows/nod/handler.py", CODE)
    assert said[1].startswith(
        "functions/workflows/nod has no function in template.yaml. Add its section"
    )
    assert bench.write(GREET, CODE + "\n") == ["functions/ changed: code reloaded"]


def test_why_a_function_cannot_be_imported_is_found_once_and_forgotten_with_its_code(
    tmp_path: Path,
) -> None:
    folder = "functions/workflows/greet/"
    bench = Bench(tmp_path)
    (tmp_path / GREET).write_text("x = y\n")
    bench.reload = Reload(bench.gate, bench.say, lambda: bench.deployment, tmp_path)
    found = [bench.reload.mistake_in(bench.deployment, folder) for _ in range(2)]
    assert found[0] == found[1]
    assert str(found[0]) == f"{GREET}:1: NameError: name 'y' is not defined\n    x = y"
    assert bench.said == [f"cannot be imported: {found[0]}"]
    bench.write(GREET, CODE)
    assert bench.reload.mistake_in(bench.deployment, folder) is None


def test_code_is_only_replaced_while_no_call_is_under_way_and_calls_wait_for_it(
    bench: Bench,
) -> None:
    passed, ended = threading.Event(), threading.Event()
    order: list[str] = []

    def call() -> None:
        with bench.gate.call():
            passed.set()
            assert ended.wait(30)
            order.append("the call under way ended")

    def late_call() -> None:
        with bench.gate.call():
            order.append("the late call passed")

    def replace() -> None:
        late.start()
        late.join(0.1)
        order.append("replaced")

    bench.emulator.during = replace
    first, late = threading.Thread(target=call), threading.Thread(target=late_call)
    reloading = threading.Thread(target=bench.write, args=(GREET, CODE + "\n"))
    first.start()
    assert passed.wait(30)
    reloading.start()
    while reloading.is_alive() and not bench.gate.is_closed:
        reloading.join(0.01)
    ended.set()
    for thread in (first, reloading, late):
        thread.join(30)
    assert order == ["the call under way ended", "replaced", "the late call passed"]


def test_the_gate_opens_only_when_all_who_closed_it_are_done() -> None:
    gate = Gate()
    with gate.closed():
        with gate.closed():
            pass
        assert gate.is_closed
    assert not gate.is_closed


def test_a_call_that_does_not_end_is_not_waited_for_for_ever_and_the_gate_opens_again() -> None:
    gate = Gate()
    with gate.call():
        with gate.closed(0.01) as ended:
            assert not ended
        with gate.call():
            pass
    with gate.closed() as ended:
        assert ended


def test_code_that_was_reloaded_and_undone_while_the_stack_was_down_is_replaced() -> None:
    """The template is the deployed one then, so that an update of the stack changes nothing."""
    emulator = FakeEmulator()
    emulator.code = b"as reloaded"
    deploy._replace_reloaded_code(emulator, b"as it is")  # type: ignore[arg-type] # a fake
    assert (emulator.updated, emulator.code) == (["greet", "wave"], b"as it is")
    deploy._replace_reloaded_code(emulator, b"as it is")  # type: ignore[arg-type] # a fake
    assert emulator.updated == ["greet", "wave"]
