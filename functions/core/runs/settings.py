"""Where runs are: read from the environment when the first one is started or read."""

from functools import cache

import msgspec

from functions.core.config import read_settings

DEFAULT_CONCURRENCY = 20
"""Items of a run at once: leaves most of Lambda's concurrency to sign-ins."""


class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The stack's bucket and state machine."""

    runs_bucket: str
    run_workflow: str
    """ARN of the state machine."""


@cache
def settings() -> RunSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(RunSettings)
