"""Passes requests on to the API in the emulator."""

from collections.abc import Mapping
from typing import NamedTuple

import urllib3

from infra.local import origins
from infra.local.deploy import Deployment
from infra.local.guard import KEY_HEADER

CONSOLE_HEADER = "x-console"
"""Header of the console's own requests: `poll` or `page`. It does not reach the API."""

_NOT_PASSED_ON = {
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "server",
    "transfer-encoding",
    CONSOLE_HEADER,
}
_ALLOWED = "access-control-allow-origin"

_pool = urllib3.PoolManager(maxsize=64, retries=False)


class Sent(NamedTuple):
    """A request to the API."""

    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str]
    """With names in lower case."""
    body: bytes


class Reply(NamedTuple):
    """The API's answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """First header of this name, in lower case; empty without one."""
        return next((value for each, value in self.headers if each.lower() == name), "")


def ask(deployment: Deployment, sent: Sent) -> Reply:
    """The API's answer, with the page's own origin where the API allows an origin.

    Raises:
        HTTPError: of urllib3, when the emulator does not answer.
    """
    headers = {name: value for name, value in sent.headers.items() if name not in _NOT_PASSED_ON}
    # Without it, the guard refuses what a page sends.
    headers[KEY_HEADER] = deployment.emulator.key
    origin = sent.headers.get("origin", "")
    if origin:
        headers["origin"] = origins.known(origin, deployment.origins)
    url = deployment.api_url + sent.target
    found = _pool.request(
        sent.method, url, body=sent.body, headers=headers, timeout=deployment.api_seconds
    )
    kept = [
        # A page compares it with its own origin.
        (name, origin if name.lower() == _ALLOWED and value != "*" else value)
        for name, value in found.headers.items()
        if name.lower() not in _NOT_PASSED_ON
    ]
    return Reply(found.status, kept, found.data)
