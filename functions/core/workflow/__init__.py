"""Workflows: all that an author imports.

    from functions.core.workflow import Parameters, Result, workflow

    class Greet(Parameters):
        name: str

    class GreetResult(Result):
        text: str

    def greet(parameters: Greet) -> GreetResult:
        return GreetResult(text=f"Hello, {parameters.name}")

    lambda_handler = workflow(greet)

`call`, `start`, `schedule` and `cancel` use other workflows (other_workflows.py, scheduling.py).
Only a workflow that uses them imports those modules.
"""

from typing import TYPE_CHECKING, Any

from functions.core.definition.call import Call
from functions.core.parameters import NotValid, NumericStr, Parameters, Result, ValidatedStr
from functions.core.workflow.handler import workflow

if TYPE_CHECKING:
    from functions.core.workflow.other_workflows import call, start
    from functions.core.workflow.scheduling import cancel, schedule

__all__ = [
    "Call",
    "NotValid",
    "NumericStr",
    "Parameters",
    "Result",
    "ValidatedStr",
    "call",
    "cancel",
    "schedule",
    "start",
    "workflow",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - `call`, `start`, `schedule` or `cancel`
    if name in {"call", "start"}:
        from functions.core.workflow import other_workflows  # noqa: PLC0415 - only who uses it pays for it

        return getattr(other_workflows, name)
    if name in {"schedule", "cancel"}:
        from functions.core.workflow import scheduling  # noqa: PLC0415 - as above

        return getattr(scheduling, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
