"""URL and key of the client portal, validated by their form.

The delivery itself checks the addresses of the host name.
"""

from typing import Any, Self

from functions.core import config
from functions.core.errors import DeliveryRefused
from functions.core.integrations.usersnap.app_setting import NO_PORTAL
from functions.core.outbound_http.settings import OutboundSettings
from functions.core.outbound_http.url import read_url
from functions.core.parameters import NotValid, ValidatedStr
from functions.core.signing.keys import standard_key

_LONGEST = 2000
"""Characters of a URL."""


class PortalUrl(ValidatedStr):
    """URL with a host name that events can be delivered to, or `none`."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Validates the URL and returns it unchanged. Raises `NotValid`."""
        if text == NO_PORTAL or (len(text) <= _LONGEST and _is_deliverable(text)):
            return cls(text)
        raise NotValid(
            "must be an https URL with a host name, on port 443, without user name and fragment; "
            "or none"
        )

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Most characters. The rules of URLs are too many for a pattern."""
        return {"maxLength": _LONGEST, "examples": ["https://portal.example.com/feedback"]}


class PortalSecret(ValidatedStr):
    """Key of Standard Webhooks: base64, with or without the prefix `whsec_`."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Validates the key and returns it unchanged. Raises `NotValid`."""
        try:
            standard_key(text)
        except ValueError:
            raise NotValid(
                "must be a key of Standard Webhooks: whsec_ and the base64 of 24 to 64 bytes"
            ) from None
        return cls(text)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """A key's form. 24 to 64 bytes are 32 to 88 characters."""
        return {
            "pattern": "^(whsec_)?[A-Za-z0-9+/]{31,86}={0,2}$",
            "examples": ["whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA=="],
        }


def _is_deliverable(text: str) -> bool:
    try:
        target = read_url(text, local=config.read(OutboundSettings).local_receivers)
    except DeliveryRefused:
        return False
    return target.is_name or not target.secure
