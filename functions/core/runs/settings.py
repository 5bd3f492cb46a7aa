"""Settings of runs."""

from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core import config

DEFAULT_CONCURRENCY = 20
"""Items of a run at once: leaves most of Lambda's concurrency to sign-ins."""


@config.settings()
class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The stack's state machine; read from the environment."""

    run_workflow: str
    """ARN of the state machine."""


@config.settings("runs")
class RunLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of runs."""

    max_depth: Annotated[int, Meta(ge=1, le=100)] = 10
    """Levels to which workflows may start and call each other."""
