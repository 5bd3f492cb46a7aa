"""The schemes by which sources sign what they deliver: each a module, imported when it is first used."""

from collections.abc import Sequence
from importlib import import_module
from typing import Literal, NamedTuple, Protocol

from functions.api.webhooks.delivery import Delivery, Received

SchemeName = Literal["standard", "stripe", "github", "twilio", "usersnap", "sns"]

_ACCEPTED = 202
"""For sources that take any 2xx, which is what most of them do."""


class Verify(Protocol):
    """What each module in schemes/ has."""

    def __call__(self, received: Received, keys: Sequence[str], now: float, /) -> Delivery:
        """What the source has signed.

        Args:
            received: what arrived, from anybody.
            keys: those that the source may sign with now, one or two; of SNS, the ARNs of its topics.
            now: seconds since the epoch.

        Raises:
            WrongSignature: it is not signed, or by somebody else.
            StaleDelivery: it is signed, but not now.
            MalformedBody: it is signed, but cannot be read.
            SettingsError: a key is none of this scheme.
            Unavailable: SNS's certificate cannot be fetched now.
        """


class Scheme(NamedTuple):
    """How a source signs, and the status that tells it to stop sending."""

    verify: Verify
    accepted_status: int


def scheme(name: SchemeName) -> Scheme:
    """A scheme by its name."""
    module = import_module(f"{__package__}.schemes.{name}")
    return Scheme(module.verify, getattr(module, "ACCEPTED_STATUS", _ACCEPTED))


def confirm(url: str) -> None:
    """Confirms a subscription, at the `confirm_url` of its delivery. Raises `Unavailable`."""
    import_module(f"{__package__}.schemes.sns").confirm(url)
