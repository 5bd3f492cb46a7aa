"""Checks that a request comes from this machine.

A page of another site can reach loopback, but neither under our Host nor from our origin.
"""

import re

HOST = "127.0.0.1"

_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}", re.IGNORECASE)


def is_loopback(host: str | None) -> bool:
    """True if a Host header names this machine; names below `localhost` may resolve elsewhere."""
    return _HOST.fullmatch(host or "") is not None


def is_loopback_origin(origin: str) -> bool:
    """True if an Origin header names a page that this machine serves."""
    return _ORIGIN.fullmatch(origin) is not None


def loopback_origins() -> list[str]:
    """Origins of this machine as patterns of S3's CORS rules, where `*` is any characters."""
    hosts = [HOST, "localhost", "[::1]"]
    return [
        f"{scheme}://{host}{port}"
        for scheme in ("http", "https")
        for host in hosts
        for port in ("", ":*")
    ]
