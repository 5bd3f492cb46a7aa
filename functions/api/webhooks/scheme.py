"""Signature schemes of webhook sources. Each is a module that is imported when first used."""

from collections.abc import Sequence
from importlib import import_module
from typing import Literal, NamedTuple, Protocol

from functions.api.webhooks.delivery import Received, WebhookDelivery

SchemeName = Literal["standard", "stripe", "github", "twilio", "usersnap", "sns"]

_ACCEPTED = 202
"""Default status. Most sources take any 2xx as success."""


class Verify(Protocol):
    """Function `verify` of each module in schemes/."""

    def __call__(self, received: Received, keys: Sequence[str], now: float, /) -> WebhookDelivery:
        """Verifies the signature and returns the signed content.

        Args:
            received: the request, from an unknown sender.
            keys: one or two keys that the source may sign with now; for SNS, its topics' ARNs.
            now: seconds since the epoch.

        Raises:
            WrongSignature: the request is not signed, or not by this source.
            StaleDelivery: the signature's time is more than five minutes off.
            MalformedBody: the request is signed but cannot be read.
            SettingsError: a key is not valid for this scheme.
            Unavailable: SNS's certificate cannot be fetched now.
        """


class Scheme(NamedTuple):
    """Verification of a signature, and the status that tells a source to stop retrying."""

    verify: Verify
    accepted_status: int


def scheme(name: SchemeName) -> Scheme:
    """Scheme of this name."""
    module = import_module(f"{__package__}.schemes.{name}")
    return Scheme(module.verify, getattr(module, "ACCEPTED_STATUS", _ACCEPTED))


def confirm(url: str) -> None:
    """Confirms a subscription at the `confirm_url` of its delivery. Raises `Unavailable`."""
    import_module(f"{__package__}.schemes.sns").confirm(url)
