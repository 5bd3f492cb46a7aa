"""Where events of a type go, and the keys that they are signed with."""

from functools import cache
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from functions.core import usersnap
from functions.core.secret import Secret
from functions.core.settings import read_settings
from functions.core.signing_keys import read_keys
from functions.core.usersnap_keys import portal_keys

_USERSNAP = "usersnap."
_TYPES = r"^(\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*\.(\*|[a-z0-9_]+))\Z"


class EventSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of events; read from the environment."""

    events_key_secret: str
    """ARN of the secret with the key, or two keys while one takes the other's place."""

    events_url: str = ""
    """Where events go; nowhere by default."""

    event_types: tuple[Annotated[str, Meta(pattern=_TYPES)], ...] = ("*",)
    """Which types go there: names, `verification.*`, or `*`."""

    def wants(self, event_type: str) -> bool:
        """Whether events of a type go anywhere."""
        return bool(self.events_url) and any(_fits(event_type, each) for each in self.event_types)


class Endpoint(NamedTuple):
    """Where events go."""

    url: str
    keys: tuple[str, ...]
    """One or two; each signs."""


@cache
def settings() -> EventSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(EventSettings)


def endpoint_for(event_type: str) -> Endpoint | None:
    """Where events of a type go; null where they go nowhere. Usersnap's go to the client portal, all others to `EventsUrl`.

    Raises:
        SettingsError: the secret is none.
        Unavailable: it cannot be read.
    """
    if event_type.startswith(_USERSNAP):
        return _portal()
    if not settings().wants(event_type):
        return None
    return Endpoint(settings().events_url, read_keys(_secret().value()))


def _portal() -> Endpoint | None:
    state = usersnap.read()
    return Endpoint(state.portal_url, portal_keys()) if state.forwarding and state.portal_url else None


def prepare() -> None:
    """Reads the secret, for init."""
    _secret().value()


def _fits(event_type: str, wanted: str) -> bool:
    return event_type == wanted or (wanted.endswith("*") and event_type.startswith(wanted[:-1]))


@cache
def _secret() -> Secret:
    return Secret(settings().events_key_secret)
