"""URLs that requests may go to.

One strict pattern reads a URL and the result is used: no second parser can see another host.
"""

import ipaddress
import re
from typing import NamedTuple

from functions.core.errors import DeliveryRefused

_PATH = r"""(?P<path>(?:[/?][!"$-~]*)?)"""
"""Printable ASCII without `#`."""
_HTTPS = re.compile(rf"https://(?P<host>\[[0-9a-fA-F:.]+\]|[^\s/?#@:\\%\[\]]+)(?::443)?{_PATH}")
_LOCAL = re.compile(rf"http://(?P<host>127\.0\.0\.1|localhost):(?P<port>[1-9]\d{{0,4}}){_PATH}")

_NAME = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
"""A DNS name that no resolver reads as a number, unlike 127.1 or 0x7f000001."""


class Target(NamedTuple):
    """The target of a request."""

    host: str
    """An ASCII name, or an address without brackets."""
    port: int
    path: str
    """Path and query."""
    secure: bool = True

    @property
    def is_name(self) -> bool:
        """Whether the host is a name, not an address."""
        return not _is_address(self.host)

    @property
    def authority(self) -> str:
        """Value of the header `Host` (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.secure else f"{host}:{self.port}"


def read_url(url: str, *, local: bool) -> Target:
    """Reads `https://<host>[:443][/…]`.

    Args:
        url: as configured.
        local: whether `http://127.0.0.1` and `http://localhost` are allowed, on any port.

    Raises:
        DeliveryRefused: for any other URL.
    """
    if found := _HTTPS.fullmatch(url):
        return Target(_host(found["host"]), 443, _path(found["path"]))
    if local and (found := _LOCAL.fullmatch(url)):
        return Target(found["host"], int(found["port"]), _path(found["path"]), secure=False)
    raise _refused()


def _path(text: str) -> str:
    return text if text.startswith("/") else f"/{text}"


def _host(text: str) -> str:
    name = _ascii(text).lower()
    literal = name.removeprefix("[").removesuffix("]")
    if not (_NAME.fullmatch(name) or _is_address(literal)):
        raise _refused()
    return literal


def _ascii(name: str) -> str:
    if name.isascii():
        return name
    import idna  # noqa: PLC0415 - only such names pay for it

    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        raise _refused() from None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _refused() -> DeliveryRefused:
    return DeliveryRefused("The URL must be https://, on port 443, without user name and fragment.")
