"""Workflows: all that an author imports.

    from functions.core.workflow import Parameters, Result, workflow

    class Greet(Parameters):
        name: str

    class GreetResult(Result):
        text: str

    def greet(parameters: Greet) -> GreetResult:
        return GreetResult(text=f"Hello, {parameters.name}")

    lambda_handler = workflow(greet)

`call`, `start`, `schedule` and `cancel` use other workflows (other_workflows.py, scheduling.py),
and `wake` sends an event to those that wait (waking.py). `other_workflow` refers to one
(references.py). Only a workflow that uses them imports these modules.
"""

from typing import TYPE_CHECKING, Any

from functions.core.definition.call import Call, Event
from functions.core.parameters import NotValid, NumericStr, Parameters, Result, ValidatedStr
from functions.core.workflow.handler import workflow

if TYPE_CHECKING:
    from functions.core.workflow.other_workflows import call, other_workflow, start
    from functions.core.workflow.scheduling import cancel, schedule
    from functions.core.workflow.waking import wake

__all__ = [
    "Call",
    "Event",
    "NotValid",
    "NumericStr",
    "Parameters",
    "Result",
    "ValidatedStr",
    "call",
    "cancel",
    "other_workflow",
    "schedule",
    "start",
    "wake",
    "workflow",
]


_LATER = {
    "call": "other_workflows",
    "cancel": "scheduling",
    "other_workflow": "other_workflows",
    "schedule": "scheduling",
    "start": "other_workflows",
    "wake": "waking",
}
"""Modules that only who uses them pays for, by the names in them."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a function
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as above

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
