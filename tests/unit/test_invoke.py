"""`make invoke` without a stack: choice of function and event, and what counts as a failure."""

import json
import re
from pathlib import Path

import pytest

from infra import invoke, sam
from infra.runtime import FunctionFailed, LambdaFunction

CONFIGURATIONS = {name: {"FunctionName": name} for name in ("local-wf-verify_send", "local-runs")}


@pytest.mark.parametrize(
    ("asked", "name"), [("verify_send", "local-wf-verify_send"), ("runs", "local-runs")]
)
def test_a_workflow_is_found_by_its_name_and_the_platforms_own_by_theirs(
    asked: str, name: str
) -> None:
    assert invoke.find_configuration(CONFIGURATIONS, asked) == {"FunctionName": name}


@pytest.mark.parametrize("asked", ["verify_sent", "", "local-runs"])
def test_an_unknown_function_is_refused_with_those_that_there_are(asked: str) -> None:
    with pytest.raises(ValueError, match="There are: runs, verify_send"):
        invoke.find_configuration(CONFIGURATIONS, asked)


def test_an_event_is_json_or_stands_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text('{"trigger": "direct"}')
    assert (
        invoke.read_event(str(file))
        == invoke.read_event(' {"trigger": "direct"}')
        == {"trigger": "direct"}
    )
    assert invoke.read_event("[1]") == [1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nowhere.json", "neither JSON nor a file that can be read: .*No such file"),
        ("tests", "neither JSON nor a file that can be read: .*Is a directory"),
        ("x" * 300, "neither JSON nor a file that can be read: .*File name too long"),
        ('{"trigger": ', "EVENT is not JSON: "),
        ("README.md", "The event in README.md is not JSON: "),
    ],
)
def test_an_event_that_is_neither_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        invoke.read_event(text)


@pytest.mark.parametrize(
    ("answer", "fails"),
    [
        ({"result": {"valid": False}, "problem": None}, False),
        ({"result": None, "problem": {"status": 422}}, True),
        ({"statusCode": 403, "body": ""}, False),
        ({"statusCode": 500, "body": ""}, True),
        ({"isAuthorized": False}, False),
        ([1], False),
        (None, False),
    ],
)
def test_a_problem_and_a_status_of_500_are_failures(answer: object, fails: bool) -> None:  # noqa: FBT001 - of the table
    assert invoke.failed(answer) is fails


def test_an_exception_is_told_and_its_traceback_is_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text(
        "def handler(event, context):\n    return 1 / event['by']\n"
    )
    function = LambdaFunction("broken", tmp_path, "broken.handler", {})
    assert invoke.invoke(function, {"by": 2}, 30) == 0.5
    with pytest.raises(FunctionFailed, match="ZeroDivisionError: division by zero"):
        invoke.invoke(function, {"by": 0}, 30)
    assert re.search(r"broken\.py\", line 2, in handler", capfd.readouterr().err)


def test_every_function_has_a_sample_event_under_the_name_by_which_it_is_called() -> None:
    resources = sam.read_template()["Resources"].values()
    functions = [
        each["Properties"] for each in resources if each["Type"] == "AWS::Serverless::Function"
    ]
    for about in functions:
        called = (
            about["FunctionName"]["Fn::Sub"].removeprefix("${AWS::StackName}-").removeprefix("wf-")
        )
        assert json.loads((sam.ROOT / f"tests/events/{called}.json").read_text())
