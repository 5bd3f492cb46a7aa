"""`make run DEBUG=<function>`: its names, its port, and the limits that are out of the way."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from infra import sam
from infra.local import transform
from infra.local.debugging.patience import with_patience
from infra.local.debugging.waiting import PORT, debugging
from infra.local.errors import LocalStackError


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    parameters = {"EmailFrom": "a@example.com"}
    translated = sam.translate(sam.read_template(), parameters, "s3://bucket/key")
    return transform.for_emulator(translated)


def values(node: Any, name: str) -> list[Any]:
    """Every value under a name, at any depth."""
    if isinstance(node, list):
        return [value for each in node for value in values(each, name)]
    if not isinstance(node, dict):
        return []
    own = [node[name]] if name in node else []
    return own + [value for each in node.values() for value in values(each, name)]


def test_every_limit_of_a_call_is_an_hour(template: dict[str, Any]) -> None:
    resources = with_patience(template)["Resources"].values()
    functions = [each for each in resources if each["Type"] == "AWS::Lambda::Function"]
    assert {each["Properties"]["Timeout"] for each in functions} == {3600}
    (machine,) = [each for each in resources if "StateMachine" in each["Type"]]
    definition = json.loads(machine["Properties"]["DefinitionString"])
    assert len(values(definition, "TimeoutSeconds")) == 7
    assert set(values(definition, "TimeoutSeconds")) == {3600}


def test_items_of_a_list_run_one_after_another(template: dict[str, Any]) -> None:
    for each in with_patience(template)["Resources"].values():
        if "StateMachine" in each["Type"]:
            definition = json.loads(each["Properties"]["DefinitionString"])
            assert set(values(definition, "MaxConcurrency")) == {1}


@pytest.mark.parametrize(
    ("name", "function"), [("verify_send", "wf-verify_send"), ("runs", "runs")]
)
def test_a_workflow_and_a_function_of_the_platform_are_found(
    name: str, function: str, tmp_path: Path
) -> None:
    found = debugging(name, tmp_path)
    assert found.function == function
    assert found.variables("local")["DEBUGGED_FUNCTION"] == f"local-{function}"
    assert found.notices.is_fifo()


def test_another_port_is_used_if_the_usual_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr("infra.local.debugging.waiting.PORT", port)
        assert debugging("runs", tmp_path).port not in {PORT, port}


def test_a_mistyped_name_is_told_with_the_names_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="Did you mean verify_send") as told:
        debugging("verify_sent", tmp_path)
    assert "authorize, documents" in str(told.value)
    assert "verify_check, verify_delete, verify_send, verify_status." in str(told.value)
