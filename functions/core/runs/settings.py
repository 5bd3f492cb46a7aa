"""Settings of runs."""

import msgspec

from functions.core import config

DEFAULT_CONCURRENCY = 20
"""Items of a run at once: leaves most of Lambda's concurrency to sign-ins."""


@config.settings()
class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The stack's state machine; read from the environment."""

    run_workflow: str
    """ARN of the state machine."""
