"""Who may speak to a server on this machine.

A page of another site can reach loopback, but neither under our Host nor from our origin.
"""

import re

HOST = "127.0.0.1"

_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}", re.IGNORECASE)


def is_loopback(host: str | None) -> bool:
    """Whether a Host header names this machine. Names below `localhost` are others' to resolve."""
    return _HOST.fullmatch(host or "") is not None


def is_loopback_origin(origin: str) -> bool:
    """Whether an Origin header names a page that a program on this machine serves."""
    return _ORIGIN.fullmatch(origin) is not None


def loopback_origins() -> list[str]:
    """The same as patterns of S3's CORS rules, in which `*` stands for any characters."""
    hosts = [HOST, "localhost", "[::1]"]
    return [
        f"{scheme}://{host}{port}"
        for scheme in ("http", "https")
        for host in hosts
        for port in ("", ":*")
    ]
