"""Settings of outbound requests."""

import msgspec

from functions.core import config


@config.settings()
class OutboundSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of requests to URLs; read from the environment."""

    local_receivers: bool = False
    """Whether `http://127.0.0.1` and `http://localhost` will do, for the local stack; no parameter
    of template.yaml.
    """
