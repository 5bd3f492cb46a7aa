"""Fetches what SNS has at a URL that was checked before: a certificate, the confirmation of a subscription."""

from collections.abc import Callable

import certifi
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from functions.core.errors import Unavailable

Download = Callable[[str], bytes]

MOST_BYTES = 64_000
"""A certificate of SNS has 2,000."""

_TIMEOUT = Timeout(connect=2, read=3)
"""Seconds. SNS waits 15 for an answer of ours."""

_OK = 200
_WILL_NOT_HEAL = frozenset({400, 401, 403, 404, 410})


class Refused(Exception):
    """There is nothing at the URL, nor will there be."""


def download(url: str) -> bytes:
    """The document at a URL, asked for once and of its own server alone: `retries=False` follows no redirect either.

    Raises:
        Refused: when the server says that there is none.
        Unavailable: when it cannot be had now, or is larger than `MOST_BYTES`.
    """
    try:
        with (
            PoolManager(ca_certs=certifi.where(), timeout=_TIMEOUT, retries=False) as pool,
            pool.request("GET", url, preload_content=False) as answer,
        ):
            body = _read(answer)
    except HTTPError as error:
        raise Unavailable("SNS cannot be reached right now.") from error
    if answer.status in _WILL_NOT_HEAL:
        raise Refused
    if answer.status != _OK or len(body) > MOST_BYTES:
        raise Unavailable("SNS does not answer as it should right now.")
    return body


def _read(answer: BaseHTTPResponse) -> bytes:
    """One byte too many at most. That an answer broke off is known when there is nothing left to read."""
    body = b""
    while chunk := answer.read(MOST_BYTES + 1 - len(body), decode_content=False):
        body += chunk
    return body
