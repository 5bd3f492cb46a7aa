"""The definition of a workflow: its function, its types and its options."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, TypeVar, get_type_hints

import msgspec

from functions.core.definition.call import (
    NO_OTHERS,
    Call,
    CallInProgress,
    OtherWorkflows,
    in_progress,
)
from functions.core.errors import NotInBackground, OnlyInBackground
from functions.core.http.endpoint import BACKGROUND_SECONDS
from functions.core.parameters import Parameters, Result, read_parameters

P = TypeVar("P", bound=Parameters)
R = TypeVar("R", bound=Result)
MOST_RETRIES = 5
"""Retries that RunWorkflow makes (run_workflow.asl.yaml)."""
Idempotency = Literal["heeded", "passed", "ignored", "refused"]


def name_of(workflow: str | Callable[..., Any]) -> str:
    """A workflow's name, from itself or from its function."""
    return str(workflow) if isinstance(workflow, str) else workflow.__name__


class WorkflowOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a workflow, as `workflow` describes them."""

    background: bool = True
    idempotency: Idempotency = "heeded"
    public: bool = False
    publishable: bool = False
    covered_by: str = ""
    calls: frozenset[str] = frozenset()
    starts: frozenset[str] = frozenset()
    one_per: str = ""
    long: bool = False
    retries: int = MOST_RETRIES
    timeout: float = BACKGROUND_SECONDS

    def __post_init__(self) -> None:
        """Raises `ValueError` for options that contradict each other."""
        if self.public and (self.background or self.idempotency in {"heeded", "passed"}):
            raise ValueError(
                "A public workflow says background=False, and idempotency is ignored or refused."
            )
        if self.long and not self.background:
            raise ValueError("long=True is about runs, and background=False has none.")
        if not 0 <= self.retries <= MOST_RETRIES:
            raise ValueError(f"retries must be 0 to {MOST_RETRIES}.")
        if not 1 <= self.timeout <= BACKGROUND_SECONDS:
            raise ValueError(f"timeout must be 1 to {BACKGROUND_SECONDS:.0f} seconds.")
        if self.one_per and not self.background:
            raise ValueError("one_per is about runs, and background=False has none.")


class Workflow(Generic[P, R]):
    """A workflow: a typed function with options."""

    def __init__(
        self,
        function: Callable[..., R],
        options: WorkflowOptions,
        others: OtherWorkflows = NO_OTHERS,
    ) -> None:
        self.function = function
        self.name = function.__name__
        self.options = options
        self._others = others
        covering = (self.name, options.covered_by) if options.covered_by else (self.name,)
        self.scopes = tuple(f"workflow:{name}" for name in covering)
        """Scopes of which a token needs one."""
        names = list(inspect.signature(function).parameters)
        self.parameters: type[P] = get_type_hints(function)[names[0]]
        self.takes_call = len(names) > 1
        if options.one_per and options.one_per not in self.parameters.__struct_fields__:
            raise ValueError(f"one_per must name a parameter, and {options.one_per} is none.")

    def read(
        self, values: Mapping[str, Any], *, strict: bool = True, started_by: str | None = None
    ) -> P:
        """Validates parameters. Raises `InvalidParameters`.

        Args:
            values: JSON values.
            strict: as in `read_parameters`.
            started_by: as in `Call`; null for a client's parameters.
        """
        parameters = read_parameters(self.parameters, values, strict=strict)
        parameters.check_origin(started_by)
        return parameters

    def run(self, values: Mapping[str, Any], call: Call, *, strict: bool = True) -> R:
        """Validates parameters and calls the function.

        Raises:
            InvalidParameters
            Exception: any error of the function.
        """
        return self.perform(self.read(values, strict=strict, started_by=call.started_by), call)

    def perform(self, parameters: P, call: Call) -> R:
        """Calls the function with parameters that were read. Raises any error of the function."""
        token = in_progress.set(
            CallInProgress(call, self.name, self.options.calls, self.options.starts, self._others)
        )
        try:
            return self.function(parameters, call) if self.takes_call else self.function(parameters)
        finally:
            in_progress.reset(token)

    def require_answering(self) -> None:
        """Raises `OnlyInBackground` if its items sleep and wait."""
        if self.options.long:
            raise OnlyInBackground(
                f"{self.name} sleeps and waits, so no call waits for it. Start a run of it."
            )

    def require_background(self) -> None:
        """Raises `NotInBackground` unless runs of the workflow are allowed."""
        if not self.options.background:
            sentence = "can only be called now, because its parameters or result are secrets."
            raise NotInBackground(f"{self.name} {sentence}")
