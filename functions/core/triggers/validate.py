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
from functions.core.runs.validation import SECONDS

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MAX_PROBLEMS = 20
"""Problems in an answer; nobody reads more of them one by one."""


class Validation(msgspec.Struct, frozen=True):
    """The event. Unknown fields are another release's."""

    trigger: Literal["validate"]
    items: list[dict[str, Any]]
    parameters: dict[str, Any] = {}
    """Common to all items, merged here: repeated in each item they might not fit into an event."""
    lenient: bool = False
    """Whether texts are converted to the parameters' types, as for CSV cells."""
    seconds: float = SECONDS
    """Time for it, where less than usual is left."""


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
    """Of the first items that are wrong."""
    checked: int = 0
    """Items that were validated within the time limit, from the first one on."""
    invalid: int = 0
    """Those of them that are wrong."""
    problem: Problem | None = None


class ValidateTrigger:
    """Validates items with one workflow."""

    def __init__(self, workflow: Workflow[Any, Any]) -> None:
        self._workflow = workflow

    def answer(self, event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
        """`{"problems": [{"index", "errors"}], "checked", "invalid", "problem"}`, with at most 20
        problems.
        """
        started, request_id = time.monotonic(), context.aws_request_id
        answer = Validated()
        try:
            answer = self._validated(msgspec.convert(event, Validation))
            self._workflow.require_background()
            log_answer(started)
        except Exception as error:  # noqa: BLE001 - as over HTTP, whoever asks gets an answer
            told = log_problem(error, started, request_id)
            answer = msgspec.structs.replace(answer, problem=told)
        return msgspec.to_builtins(answer)  # type: ignore[no-any-return] # a struct becomes a dict

    def _validated(self, asked: Validation) -> Validated:
        """The answer, as far as the time limit lets it. Later items show their problems when they
        run.
        """
        found: list[InvalidItem] = []
        checked = invalid = 0
        until = time.monotonic() + asked.seconds
        for index, item in enumerate(asked.items):
            if time.monotonic() > until:
                break
            checked += 1
            if errors := self._errors(item, asked):
                invalid += 1
                if len(found) < MAX_PROBLEMS:
                    found.append(InvalidItem(index, errors))
        return Validated(problems=found, checked=checked, invalid=invalid)

    def _errors(self, item: Mapping[str, Any], asked: Validation) -> list[Invalid]:
        try:
            whole = merged(item, asked.parameters, lenient=asked.lenient)
            self._workflow.read(whole, strict=not asked.lenient)
        except InvalidParameters as error:
            return [Invalid(*each) for each in error.errors]
        return []
