"""The client portal as it is configured: its URL and its key, by their form. Who delivers judges the name's addresses."""

from typing import Self

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
    """A URL that events can be delivered to, of a host with a name; or `none`."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The URL as it is. Raises `NotValid`."""
        if text == NO_PORTAL or (len(text) <= _LONGEST and _is_deliverable(text)):
            return cls(text)
        raise NotValid(
            "must be an https URL with a host name, on port 443, without user name and fragment; or none"
        )


class PortalSecret(ValidatedStr):
    """A key of Standard Webhooks: `whsec_` and base64, or base64 alone."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The key as it is. Raises `NotValid`."""
        try:
            standard_key(text)
        except ValueError:
            raise NotValid(
                "must be a key of Standard Webhooks: whsec_ and the base64 of 24 to 64 bytes"
            ) from None
        return cls(text)


def _is_deliverable(text: str) -> bool:
    try:
        target = read_url(text, local=config.read(OutboundSettings).local_receivers)
    except DeliveryRefused:
        return False
    return target.is_name or not target.secure
