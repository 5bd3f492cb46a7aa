"""Keeps web pages out of the emulator, as ASGI middleware.

The emulator checks neither Host nor Origin, and hardly any signature. Any page that is open in a
browser can send requests to this machine. Programs name a loopback Host and no Origin. A page's
requests say that they are a page's: by Origin, by Fetch Metadata (`Sec-Fetch-Site`), or by the Host
of a page whose name was made to resolve to loopback (DNS rebinding). No script can leave these
headers out or change them.

Pages may do one thing: post a form to a bucket whose own CORS configuration lets them. That is how
lists are uploaded.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from infra.local.loopback import is_loopback

Scope = MutableMapping[str, Any]
AsgiEvent = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiEvent]]
Send = Callable[[AsgiEvent], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = dict[str, list[str]]

KEY_HEADER = "x-emulator-key"
"""Has the random key of this run. It opens what is the emulator's own and no service of AWS, and
lets the local server pass on what pages ask of the API. Functions never see it.
"""

KEY_VARIABLE = "EMULATOR_KEY"
"""In the environment of the emulator's process."""

_OWN = re.compile(
    r"/+(_ministack|_localstack|health|latest|v2/credentials|v4)(/.*)?", re.IGNORECASE | re.DOTALL
)
"""MiniStack's administration (captured messages, reset, configuration), LocalStack's names for it,
and the metadata services of EC2 and ECS, which hand out credentials.
"""

_BUCKET = re.compile(r"/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/?")
"""The path of a bucket itself."""


class Guard:
    """The emulator, for programs of this machine only."""

    def __init__(self, app: App, key: str, report: Callable[[str], None]) -> None:
        """`report` gets a line for each request that is refused, without its query."""
        self._app = app
        self._key = key
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or refuses it before the emulator sees it."""
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
        """The reason to refuse a request; none for one that may pass."""
        if len(hosts := headers.get("host", [])) != 1 or not is_loopback(hosts[0]):
            return "The emulator answers only to a loopback Host, such as 127.0.0.1."
        if not scope["path"].startswith("/"):
            return "The request names more than a path."
        if self._has_key(headers):
            return None
        if _OWN.fullmatch(scope["path"]):
            return f"Only make run, which has this run's {KEY_HEADER}, looks into the emulator."
        if _is_of_page(headers) and not (
            _is_form(scope, headers) and await self._is_allowed(scope, headers)
        ):
            return "Web pages have no access to the emulator, but to upload lists from one of AllowedOrigins."
        return None

    def _has_key(self, headers: Headers) -> bool:
        given = headers.get(KEY_HEADER, [])
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self._key.encode())

    async def _is_allowed(self, scope: Scope, headers: Headers) -> bool:
        """Whether the bucket's CORS configuration names the page's origin, as the emulator says."""
        if len(origins := headers.get("origin", [])) != 1:
            return False
        origin = origins[0].encode("latin-1")
        asked = [
            (b"host", headers["host"][0].encode()),
            (b"origin", origin),
            (b"access-control-request-method", b"POST"),
        ]
        answered: dict[bytes, bytes] = {}

        async def nothing() -> AsgiEvent:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def note(event: AsgiEvent) -> None:
            answered.update({name.lower(): value for name, value in event.get("headers", [])})

        await self._app({**scope, "method": "OPTIONS", "headers": asked}, nothing, note)
        # What has no configuration of its own is answered with `*`.
        return answered.get(b"access-control-allow-origin") == origin != b"*"


def _headers(scope: Scope) -> Headers:
    found: Headers = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _is_of_page(headers: Headers) -> bool:
    return "origin" in headers or "sec-fetch-site" in headers


def _is_form(scope: Scope, headers: Headers) -> bool:
    """Whether it is a form for a bucket, or its preflight, and names no service or operation."""
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
