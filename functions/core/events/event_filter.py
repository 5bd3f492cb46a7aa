"""Event filter; producers consult it before they start a delivery."""

from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core import config

_TYPES = r"^(\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*\.(\*|[a-z0-9_]+))\Z"


@config.settings("events")
class EventSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of events."""

    event_types: tuple[Annotated[str, Meta(pattern=_TYPES)], ...] = ("*",)
    """Event types that are delivered: names, `verification.*`, or `*`."""

    events_url: Annotated[str, config.ENVIRONMENT] = ""
    """URL of the receiver; empty: none."""

    def wants(self, event_type: str) -> bool:
        """Whether events of a type are delivered."""
        return bool(self.events_url) and any(_fits(event_type, each) for each in self.event_types)


def _fits(event_type: str, wanted: str) -> bool:
    return event_type == wanted or (wanted.endswith("*") and event_type.startswith(wanted[:-1]))
