"""Who may speak to a server on this machine: a page of another site can reach loopback, but not under our Host."""

from urllib.parse import urlsplit

HOST = "127.0.0.1"

_NAMES = {HOST, "localhost", "::1"}


def is_loopback(host: str | None) -> bool:
    """Whether a request's Host header names this machine."""
    try:
        return urlsplit(f"//{host or ''}").hostname in _NAMES
    except ValueError:
        return False
