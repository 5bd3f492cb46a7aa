"""Settings of outbound requests."""

from functools import cache

import msgspec

from functions.core.config import read_settings


class OutboundSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of requests to URLs; read from the environment."""

    local_receivers: bool = False
    """Whether `http://127.0.0.1` and `http://localhost` will do, for the local stack; no parameter
    of template.yaml.
    """


@cache
def settings() -> OutboundSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(OutboundSettings)
