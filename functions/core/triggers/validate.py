"""The trigger `validate`: validates the parameters of items before a run over them starts.

Nothing runs.
"""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from functions.core.definition.workflow import Workflow
from functions.core.errors import InvalidParameters
from functions.core.http.endpoint import log_answer, log_problem
from functions.core.http.problems import Invalid, Problem
from functions.core.parameters import merged

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

VALIDATION_SECONDS = 10
"""Leaves time to start the run: a request is answered within 25 s."""
MAX_PROBLEMS = 20
"""Problems in an answer; nobody reads more of them one by one."""


class Validation(msgspec.Struct, frozen=True):
    """The event. Unknown fields are another release's."""

    trigger: Literal["validate"]
    items: list[dict[str, Any]]
    parameters: dict[str, Any] = {}
    """Common to all items, merged here: repeated in each item they might not fit into an event."""


class InvalidItem(msgspec.Struct, frozen=True):
    """Problems of one item."""

    index: int
    errors: list[Invalid]


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    `problem` says that the workflow cannot run in the background; its parameters are validated
    anyway.
    """

    problems: list[InvalidItem] = []
    problem: Problem | None = None


class ValidateTrigger:
    """Validates items with one workflow."""

    def __init__(self, workflow: Workflow[Any, Any]) -> None:
        self._workflow = workflow

    def answer(self, event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
        """`{"problems": [{"index", "errors"}], "problem"}`, at most 20 problems."""
        started, request_id = time.monotonic(), context.aws_request_id
        problems: list[InvalidItem] = []
        try:
            problems = self._problems(msgspec.convert(event, Validation))
            self._workflow.require_background()
            answer = Validated(problems=problems)
            log_answer(started)
        except Exception as error:  # noqa: BLE001 - as over HTTP, whoever asks gets an answer
            answer = Validated(problems=problems, problem=log_problem(error, started, request_id))
        return msgspec.to_builtins(answer)  # type: ignore[no-any-return] # a struct becomes a dict

    def _problems(self, asked: Validation) -> list[InvalidItem]:
        """Problems found within the time limit. Later items show theirs when they run."""
        found: list[InvalidItem] = []
        until = time.monotonic() + VALIDATION_SECONDS
        for index, item in enumerate(asked.items):
            if time.monotonic() > until:
                break
            try:
                self._workflow.read(merged(item, asked.parameters))
            except InvalidParameters as error:
                found.append(InvalidItem(index, [Invalid(*each) for each in error.errors]))
                if len(found) == MAX_PROBLEMS:
                    break
        return found
