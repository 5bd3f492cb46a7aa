"""Workflows: all that an author imports.

    from functions.core.workflow import Parameters, Result, workflow

    class Greet(Parameters):
        name: str

    class GreetResult(Result):
        text: str

    def greet(parameters: Greet) -> GreetResult:
        return GreetResult(text=f"Hello, {parameters.name}")

    lambda_handler = workflow(greet)

`call` and `start` use other workflows (other_workflows.py), `other_workflow` refers to one
(references.py). Only a workflow that uses them imports these modules.
"""

from typing import TYPE_CHECKING, Any

from functions.core.definition.call import Call
from functions.core.parameters import NotValid, NumericStr, Parameters, Result, ValidatedStr
from functions.core.workflow.handler import workflow

if TYPE_CHECKING:
    from functions.core.workflow.other_workflows import call, other_workflow, start

__all__ = [
    "Call",
    "NotValid",
    "NumericStr",
    "Parameters",
    "Result",
    "ValidatedStr",
    "call",
    "other_workflow",
    "start",
    "workflow",
]


_LATER = frozenset({"call", "other_workflow", "start"})


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a function
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from functions.core.workflow import other_workflows  # noqa: PLC0415 - only who uses it pays for it

    return getattr(other_workflows, name)
