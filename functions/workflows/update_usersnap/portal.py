"""The client portal as it is configured: its URL and its key, by their form. Who delivers judges the URL's addresses."""

import base64
import binascii
import re
from typing import Self

import msgspec

from functions.core.parameters import Checked, NotValid
from functions.core.settings import read_settings
from functions.core.usersnap import NO_PORTAL

_LONGEST = 2000
"""Characters of a URL."""

_REST = r"(?:[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?"
"""Path and query (RFC 3986 §3.3, §3.4). A fragment would reach no server."""

_HTTPS = re.compile(
    rf"https://(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?(?::443)?{_REST}",
    re.IGNORECASE | re.ASCII,
)
"""The host is a name: neither an address nor what a resolver takes for one, such as 127.1."""

_LOCAL = re.compile(rf"http://(?:127\.0\.0\.1|localhost):[0-9]{{1,5}}{_REST}")

_KEY_BYTES = range(24, 65)
"""Standard Webhooks, Signature scheme: between 24 and 64 bytes."""


class PortalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the portal's URL; read from the environment."""

    local_receivers: bool = False
    """Whether it may be `http://127.0.0.1:<port>`: on the local stack; no parameter of template.yaml."""


class PortalUrl(Checked):
    """An https URL on port 443, without user name and fragment; or `none`."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The URL as it is. Raises `NotValid`."""
        if text == NO_PORTAL or (len(text) <= _LONGEST and (_HTTPS.fullmatch(text) or _local(text))):
            return cls(text)
        raise NotValid("must be an https URL with a host name, on port 443, without user name and fragment; or none")


class PortalSecret(Checked):
    """A key of Standard Webhooks: `whsec_` and base64, or base64 alone."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The key as it is. Raises `NotValid`."""
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) not in _KEY_BYTES:
            raise NotValid("must be a key of Standard Webhooks: whsec_ and the base64 of 24 to 64 bytes")
        return cls(text)


def _local(text: str) -> bool:
    return bool(_LOCAL.fullmatch(text)) and read_settings(PortalSettings).local_receivers
