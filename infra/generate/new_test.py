"""The test of a new workflow: its source's, if that is short, else one that stays true while the copy is edited."""

from pathlib import Path
from typing import NamedTuple

from infra.generate.names import Renaming

_LONG = 80
"""Lines. A longer test proves what the source is made of, and would have to be edited wherever the copy is."""


class NewTest(NamedTuple):
    """A test that the new workflow may get."""

    about: str
    text: str


def new_tests(source: Path, renaming: Renaming) -> list[NewTest]:
    """In order of preference; `source` is the test of the workflow that is copied, whether it is there or not."""
    short = NewTest("a short one, to begin with", _SHORT.format(old=renaming.old, new=renaming.new))
    if not source.exists():
        return [short]
    text = source.read_text()
    copy = NewTest(f"what {source.name} tests", renaming(text))
    return [short, copy] if len(text.splitlines()) > _LONG else [copy, short]


def blank_test(name: str) -> NewTest:
    """Of a workflow that is no copy."""
    return NewTest("a short one, to begin with", _BLANK.format(new=name))


_SHORT = '''"""{new}: answers its sample event, to whom its scope allows it."""

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

_BLANK = '''"""{new}: greets whom its parameters name."""

import json

import pytest

from functions.workflows.{new}.handler import lambda_handler
from infra import sam
from tests.builders import Context, call

pytestmark = pytest.mark.usefixtures("cloud")

EVENT = json.loads((sam.ROOT / "tests/events/{new}.json").read_text())
SCOPE = "workflow:{new}"


def test_the_sample_event_is_answered() -> None:
    assert lambda_handler(EVENT, Context()) == {{"result": {{"text": "Hello, Ana"}}, "problem": None}}


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
