"""Mistakes in sources.toml, told by section and line; one leaves the other sections usable."""

import subprocess
import sys

import pytest

from functions.api.webhooks.sources import check_sources
from infra import sam
from infra.console.catalog import read_workflows
from infra.local.wrong_settings import find_wrong_sources
from infra.source_mistakes import PLACE, mistakes, mistakes_in_file
from infra.workflows import background_workflows

GOOD = """[good]
scheme = "github"
secret = "good"
workflow = "verify_delete"
parameters = "payload"
"""


def section(name: str, **fields: str) -> str:
    about = {
        "scheme": '"github"',
        "secret": '"a"',
        "workflow": '"verify_delete"',
        "parameters": '"payload"',
    }
    lines = [f"{key} = {value}" for key, value in {**about, **fields}.items() if value]
    return "\n".join([f"[{name}]", *lines, ""])


def test_the_file_that_ships_has_no_mistake() -> None:
    assert mistakes_in_file() == []


@pytest.mark.parametrize(
    ("fields", "line", "sentence"),
    [
        ({"workflow": '"nowhere"'}, 9, "there is no workflow nowhere"),
        (
            {"workflow": '"verify_check"'},
            9,
            "verify_check cannot run in the background, so no webhook can start it",
        ),
        ({"parameters": '"{a: payload."'}, 10, "parameters is not a JMESPath expression"),
        ({"parameters": '"nowhere(payload)"'}, 10, "there is no function nowhere()"),
        ({"parameters": '"payload'}, 10, "Illegal character"),
        ({"colour": '"red"'}, 11, "unknown field `colour`"),
        ({"keep": '"no"'}, 11, "Expected `bool`"),
        ({"secret": ""}, 6, "needs a secret"),
        ({"parameters": ""}, 6, "a source with a workflow needs parameters"),
        ({"workflow": "", "parameters": ""}, 6, "needs a workflow that it starts, or an event"),
        ({"event": '"a.b"'}, 11, "event cannot stand beside workflow"),
        ({"key": '"payload.id"'}, 11, "key needs an event"),
        ({"data": '"payload"'}, 11, "data needs an event"),
        ({"scheme": '"md5"'}, 7, "Invalid enum value 'md5'"),
    ],
)
def test_a_mistake_is_told_by_section_and_line_and_the_others_are_usable(
    fields: dict[str, str], line: int, sentence: str
) -> None:
    text = GOOD + section("bad", **fields) + section("last")
    (told,) = mistakes(text)
    assert told.startswith(f"{PLACE}:{line}: [bad] ")
    assert sentence in told
    assert {"good", "last"} <= check_sources(text).usable.keys()


@pytest.mark.parametrize(
    ("fields", "line", "sentence"),
    [
        ({}, 0, ""),
        ({"data": '"{id: payload.id}"'}, 0, ""),
        ({"event": '"Activated"'}, 9, "Expected `str` matching regex"),
        ({"event": '"deploy"'}, 9, "Expected `str` matching regex"),
        ({"key": ""}, 6, "a source with an event needs a key"),
        ({"key": '"payload."'}, 10, "key is not a JMESPath expression"),
        ({"key": '"nowhere(payload)"'}, 10, "there is no function nowhere()"),
        ({"data": '"{a: "'}, 11, "data is not a JMESPath expression"),
        ({"parameters": '"payload"'}, 9, "parameters needs a workflow"),
        ({"keep": "false"}, 11, "keep = false needs a workflow"),
    ],
)
def test_a_mistake_of_a_source_with_an_event_is_told_too(
    fields: dict[str, str], line: int, sentence: str
) -> None:
    about = {"workflow": "", "parameters": "", "event": '"user.activated"', "key": '"payload.id"'}
    text = GOOD + section("bad", **{**about, **fields})
    told = mistakes(text)
    assert bool(told) == bool(sentence)
    assert all(each.startswith(f"{PLACE}:{line}: [bad] ") and sentence in each for each in told)


def test_a_line_of_an_expression_that_looks_like_a_section_is_none() -> None:
    text = GOOD.replace('"payload"', '"""\n[payload]\n"""') + section("bad", workflow='"nowhere"')
    (told,) = mistakes(text)
    assert "[bad] there is no workflow nowhere" in told
    assert check_sources(text).usable.keys() == {"good", "bad"}


def test_every_mistake_is_told_in_the_order_of_lines() -> None:
    text = section("one", workflow='"x"') + GOOD + section("two", parameters='"("')
    assert [each.partition(": ")[2][:5] for each in mistakes(text)] == ["[one]", "[two]"]


@pytest.mark.parametrize("text", ["x = 1\n" + GOOD, "[[a]]\n" + GOOD, "[a.b]\nc = 1\n" + GOOD])
def test_what_is_no_section_is_told(text: str) -> None:
    assert len(mistakes(text)) == 1
    assert "good" in check_sources(text).usable


def test_workflows_that_handle_secrets_are_those_that_cannot_run_in_the_background() -> None:
    ours = {each["name"] for each in read_workflows() if each["group"] != "Your own"}
    assert ours - background_workflows() == {
        "verify_check",
        "verify_status",
        "update_usersnap",
        "record_registration",
    }


def test_a_mistake_is_found_when_the_file_changes_or_a_workflow_goes() -> None:
    wrong = {PLACE: section("bad", workflow='"nowhere"').encode()}
    (mistake,) = find_wrong_sources(wrong, {PLACE})
    assert (mistake.file, mistake.line) == (PLACE, 4)
    assert find_wrong_sources(wrong, {"functions/workflows/nowhere/handler.py"}) == [mistake]
    assert find_wrong_sources(wrong, {"functions/core/errors.py"}) == []
    assert find_wrong_sources({PLACE: GOOD.encode()}, {PLACE}) == []


def test_the_command_fails_with_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.source_mistakes", "-"],
        cwd=sam.ROOT,
        input=section("bad", workflow='"nowhere"'),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"{PLACE}:4: [bad] there is no workflow nowhere.\n"
