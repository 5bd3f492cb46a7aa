"""Tests for a new workflow: a copy of its source's if that is short, else a general one."""

from pathlib import Path
from typing import NamedTuple

from infra.generate.names import Renaming

_LONG = 80
"""Lines; a longer test proves details of the source, and breaks with each edit of the copy."""


class NewTest(NamedTuple):
    """A possible test of the new workflow."""

    about: str
    text: str


def new_tests(source: Path, renaming: Renaming) -> list[NewTest]:
    """Possible tests of a copy, the preferred one first.

    Args:
        source: test of the copied workflow, which need not exist.
        renaming: of the copy.
    """
    short = NewTest("a short one to start with", _SHORT.format(old=renaming.old, new=renaming.new))
    if not source.exists():
        return [short]
    text = source.read_text()
    copy = NewTest(f"a copy of {source.name}", renaming(text))
    return [short, copy] if len(text.splitlines()) > _LONG else [copy, short]


def blank_test(name: str) -> NewTest:
    """Test of a blank workflow."""
    return NewTest("a short one to start with", _BLANK.format(new=name))


_SHORT = '''"""{new}: its sample event, its scope and its parameters."""

import json

import pytest

from functions.workflows.{new}.handler import lambda_handler
from infra import sam
from tests.builders import Context, call

pytestmark = pytest.mark.usefixtures("cloud")

EVENT = json.loads((sam.ROOT / "tests/events/{new}.json").read_text())
PARAMETERS = EVENT["parameters"]
SCOPE = "workflow:{new}"


def test_the_sample_event_is_answered() -> None:
    answer = lambda_handler(EVENT, Context())
    assert answer["problem"] is None
    assert answer["result"]


def test_its_own_scope_is_enough() -> None:
    assert call(lambda_handler, PARAMETERS, scopes=[SCOPE]).status == 200


def test_the_scope_of_{old}_is_not() -> None:
    reply = call(lambda_handler, PARAMETERS, scopes=["workflow:{old}"])
    assert (reply.status, reply.body["code"]) == (403, "not_permitted")


def test_a_parameter_that_it_does_not_have_is_refused() -> None:
    reply = call(lambda_handler, PARAMETERS | {{"colour": "red"}}, scopes=[SCOPE])
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/colour")
'''

_BLANK = '''"""{new}: its greeting, its scope and its parameters."""

import json

import pytest

from functions.workflows.{new}.handler import lambda_handler
from infra import sam
from tests.builders import Context, call

pytestmark = pytest.mark.usefixtures("cloud")

EVENT = json.loads((sam.ROOT / "tests/events/{new}.json").read_text())
SCOPE = "workflow:{new}"


def test_the_sample_event_is_answered() -> None:
    answer = lambda_handler(EVENT, Context())
    assert answer == {{"result": {{"text": "Hello, Ana"}}, "problem": None}}


def test_its_own_scope_is_enough_and_no_other_is() -> None:
    assert call(lambda_handler, {{"name": "Ana"}}, scopes=[SCOPE]).body == {{"text": "Hello, Ana"}}
    assert call(lambda_handler, {{"name": "Ana"}}, scopes=["workflow:verify_send"]).status == 403


@pytest.mark.parametrize("parameters", [{{}}, {{"name": ""}}, {{"name": "x" * 81}}, {{"name": 1}}])
def test_a_name_that_cannot_be_is_refused(parameters: dict[str, object]) -> None:
    reply = call(lambda_handler, parameters, scopes=[SCOPE])
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/name")


def test_a_parameter_that_it_does_not_have_is_refused() -> None:
    reply = call(lambda_handler, {{"name": "Ana", "colour": "red"}}, scopes=[SCOPE])
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/colour")
'''
