"""Keeps web pages out of the emulator, as ASGI middleware.

The emulator checks neither Host nor Origin, and hardly any signature. Any page that is open in a
browser can send requests to this machine. Programs name a loopback Host and no Origin. A page's
requests show that they come from a page: by Origin, by Fetch Metadata (`Sec-Fetch-Site`), or by the
Host of a page whose name resolves to loopback (DNS rebinding). No script can omit or change these
headers.

Pages may do two things: post a form to a bucket whose own CORS configuration allows it, to upload
lists; and open the URL of an exported run, which is saved as a file.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from infra.local.downloads import is_download
from infra.local.loopback import is_loopback

Scope = MutableMapping[str, Any]
AsgiEvent = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiEvent]]
Send = Callable[[AsgiEvent], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = dict[str, list[str]]

KEY_HEADER = "x-emulator-key"
"""Header with the random key of this run.

It opens the emulator's own API, and lets the local server pass on pages' requests to our API.
Functions never see it.
"""

KEY_VARIABLE = "EMULATOR_KEY"
"""Variable with that key, in the environment of the emulator's process."""

_OWN = re.compile(
    r"/+(_ministack|_localstack|health|latest|v2/credentials|v4)(/.*)?", re.IGNORECASE | re.DOTALL
)
"""Paths of MiniStack's administration (captured messages, reset, configuration) and its LocalStack
names, and of the metadata services of EC2 and ECS, which hand out credentials.
"""

_BUCKET = re.compile(r"/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/?")
"""Path of a bucket itself."""


class Guard:
    """ASGI middleware that lets only programs of this machine reach the emulator."""

    def __init__(self, app: App, key: str, report: Callable[[str], None]) -> None:
        """`report` gets a line for each refused request, without its query."""
        self._app = app
        self._key = key
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request to the emulator, or refuses it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        if refusal := await self._refusal(scope, headers):
            self._report(
                f"refused {scope.get('method', 'websocket')} {scope['path']!r:.200}: {refusal}"
            )
            await _refuse(scope["type"], send, refusal)
        else:
            kept = [
                (name, value)
                for name, value in scope["headers"]
                if name.lower() != KEY_HEADER.encode()
            ]
            await self._app({**scope, "headers": kept}, receive, send)

    async def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        """Reason to refuse a request; none if it may pass."""
        if len(hosts := headers.get("host", [])) != 1 or not is_loopback(hosts[0]):
            return "The emulator answers only to a loopback Host, such as 127.0.0.1."
        if not scope["path"].startswith("/"):
            return "The request target must be a path."
        if self._has_key(headers):
            return None
        if _OWN.fullmatch(scope["path"]):
            return f"Only make run knows the {KEY_HEADER} that opens the emulator's own API."
        if _is_of_page(headers) and not (
            is_download(scope, headers)
            or (_is_form(scope, headers) and await self._is_allowed(scope, headers))
        ):
            return (
                "Web pages have no access to the emulator. "
                "Pages of AllowedOrigins may upload lists."
            )
        return None

    def _has_key(self, headers: Headers) -> bool:
        keys = headers.get(KEY_HEADER, [])
        return len(keys) == 1 and hmac.compare_digest(keys[0].encode(), self._key.encode())

    async def _is_allowed(self, scope: Scope, headers: Headers) -> bool:
        """True if the bucket's CORS configuration names the page's origin."""
        if len(origins := headers.get("origin", [])) != 1:
            return False
        origin = origins[0].encode("latin-1")
        preflight = [
            (b"host", headers["host"][0].encode()),
            (b"origin", origin),
            (b"access-control-request-method", b"POST"),
        ]
        answered: dict[bytes, bytes] = {}

        async def nothing() -> AsgiEvent:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def note(event: AsgiEvent) -> None:
            answered.update({name.lower(): value for name, value in event.get("headers", [])})

        await self._app({**scope, "method": "OPTIONS", "headers": preflight}, nothing, note)
        # The emulator answers with `*` for a bucket without a configuration.
        return answered.get(b"access-control-allow-origin") == origin != b"*"


def _headers(scope: Scope) -> Headers:
    headers: Headers = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return headers


def _is_of_page(headers: Headers) -> bool:
    return "origin" in headers or "sec-fetch-site" in headers


def _is_form(scope: Scope, headers: Headers) -> bool:
    """True for a form to a bucket, or its preflight, that names no service or operation."""
    if scope["type"] != "http" or scope["query_string"] or not _BUCKET.fullmatch(scope["path"]):
        return False
    if any(name == "authorization" or name.startswith("x-amz-") for name in headers):
        return False
    if scope["method"] == "OPTIONS":
        return headers.get("access-control-request-method") == ["POST"]
    kinds = [kind.partition(";")[0].strip().lower() for kind in headers.get("content-type", [])]
    return scope["method"] == "POST" and kinds == ["multipart/form-data"]


async def _refuse(kind: str, send: Send, refusal: str) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = f"{refusal}\n".encode()
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
