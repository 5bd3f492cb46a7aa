"""Endpoints of events: their URLs and signing keys, by event type."""

from typing import NamedTuple

import msgspec

from functions.core import config
from functions.core.aws.secrets import Secret
from functions.core.events.event_filter import EventSettings
from functions.core.integrations import usersnap
from functions.core.integrations.usersnap.portal_keys import portal_keys
from functions.core.signing.keys import read_keys

_USERSNAP = "usersnap."


@config.settings()
class EventKeySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of deliveries; read from the environment."""

    events_key_secret: str
    """ARN of the secret with the key, or two keys while one takes the other's place."""


class Endpoint(NamedTuple):
    """A receiver of events."""

    name: str
    """`events` (`EventsUrl`) or `portal` (Usersnap's client portal)."""
    url: str
    keys: tuple[str, ...]
    """One or two; each signs."""


def endpoint_for(event_type: str) -> Endpoint | None:
    """The endpoint of an event type; null if it has none.

    Usersnap's events go to the client portal, all others to `EventsUrl`.

    Raises:
        SettingsError: the secret is malformed.
        Unavailable: it cannot be read.
    """
    if event_type.startswith(_USERSNAP):
        return _portal()
    if not config.read(EventSettings).wants(event_type):
        return None
    return Endpoint("events", config.read(EventSettings).events_url, read_keys(_secret().value()))


def _portal() -> Endpoint | None:
    state = usersnap.read()
    if not (state.forwarding and state.portal_url):
        return None
    return Endpoint("portal", state.portal_url, portal_keys())


def prepare() -> None:
    """Reads the secret, for init."""
    _secret().value()


@config.cached
def _secret() -> Secret:
    return Secret(config.read(EventKeySettings).events_key_secret)
