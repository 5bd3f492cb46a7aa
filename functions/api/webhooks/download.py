"""Downloads from SNS, for certificates and confirmations. Callers check the URL first."""

from collections.abc import Callable

import certifi
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from functions.core.errors import Unavailable

Download = Callable[[str], bytes]

MAX_BYTES = 64_000
"""A certificate of SNS has 2,000."""

_TIMEOUT = Timeout(connect=2, read=3)
"""Seconds. SNS waits 15 for our answer."""

_OK = 200
_PERMANENT = frozenset({400, 401, 403, 404, 410})


class DownloadRefused(Exception):
    """The server permanently has no document at the URL."""


def download(url: str) -> bytes:
    """Document at a URL. `retries=False` makes one request and follows no redirect.

    Raises:
        DownloadRefused: the server has no such document.
        Unavailable: it cannot be fetched now, or is larger than `MAX_BYTES`.
    """
    try:
        with (
            PoolManager(ca_certs=certifi.where(), timeout=_TIMEOUT, retries=False) as pool,
            pool.request("GET", url, preload_content=False) as answer,
        ):
            body = _read(answer)
    except HTTPError as error:
        raise Unavailable("SNS cannot be reached right now.") from error
    if answer.status in _PERMANENT:
        raise DownloadRefused
    if answer.status != _OK or len(body) > MAX_BYTES:
        raise Unavailable("SNS gave an unexpected answer. Try again later.")
    return body


def _read(answer: BaseHTTPResponse) -> bytes:
    """Reads to the end, where urllib3 reports a truncated answer, but one byte too many at most."""
    body = b""
    while chunk := answer.read(MAX_BYTES + 1 - len(body), decode_content=False):
        body += chunk
    return body
