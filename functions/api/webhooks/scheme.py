"""Signature schemes of webhook sources. Each is a module that is imported when first used."""

import re
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Annotated, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Meta

from functions.api.webhooks.delivery import Received, WebhookDelivery

SchemeName = Literal["standard", "hmac", "token", "stripe", "github", "twilio", "usersnap", "sns"]

_ACCEPTED = 202
"""Default status. Most sources take any 2xx as success."""

HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,100}\Z")]
Text = Annotated[str, Meta(pattern=r"^[ -~]{1,40}\Z")]

PLACES = re.compile(r"\{(body|timestamp|id|method|url)\}")
"""Places in the template of the signed text."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Rules by which a source signs with `hmac`; `token` has `header`, `prefix` and `body` too."""

    header: HeaderName | None = None
    """Header of the signature or the token. Without it, `token` takes Basic's password."""
    prefix: Text | None = None
    """Text before a signature, such as `sha256=`."""
    separator: Text | None = None
    """Text between the parts of the header, such as `,`; those with the prefix are signatures."""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64", "base64url"] = "hex"
    signed: Annotated[str, Meta(min_length=1, max_length=200)] = "{body}"
    """Template of the signed text."""
    timestamp_header: HeaderName | None = None
    timestamp_prefix: Text | None = None
    """Text before the time among the parts of the signature's header, such as `t=`."""
    timestamp_path: str | None = None
    """JMESPath of the time in the payload."""
    timestamp_unit: Literal["s", "ms", "iso"] = "s"
    tolerance_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 300
    id_header: HeaderName | None = None
    """Header that says which delivery it is."""
    body: Literal["json", "form"] = "json"

    @property
    def tolerance(self) -> timedelta:
        """Accepted age of a signature, and its lead."""
        return timedelta(seconds=self.tolerance_seconds)

    @property
    def places(self) -> frozenset[str]:
        """Names of the places in the template."""
        return frozenset(PLACES.findall(self.signed))


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
            StaleDelivery: the signature's time is further off than the source's tolerance.
            MalformedBody: the request is signed but cannot be read.
            SettingsError: a key is not valid for this scheme.
            Unavailable: SNS's certificate cannot be fetched now.
        """


class Scheme(NamedTuple):
    """Verification of a signature, and the status that tells a source to stop retrying."""

    verify: Verify
    accepted_status: int


def scheme(name: SchemeName, signature: Signature | None = None) -> Scheme:
    """Scheme of this name. `hmac` and `token` need to know how the source signs."""
    module = import_module(f"{__package__}.schemes.{name}")
    verify = module.verify
    if name in {"hmac", "token"}:
        verify = partial(verify, signature or Signature())
    return Scheme(verify, getattr(module, "ACCEPTED_STATUS", _ACCEPTED))


def confirm(url: str) -> None:
    """Confirms a subscription at the `confirm_url` of its delivery. Raises `Unavailable`."""
    import_module(f"{__package__}.schemes.sns").confirm(url)
