"""Refuses some emails as SES does, as ASGI middleware: the emulator accepts every recipient.

So a failed item, its problem and its traceback can be seen on this machine.
"""

import json
from typing import Any

from infra.local.guard import App, AsgiEvent, Receive, Scope, Send

REFUSED_DOMAIN = "refused.example.com"
"""Domain whose addresses are refused; example.com belongs to nobody (RFC 2606 §3)."""

_SEND_EMAIL = "/v2/email/outbound-emails"


class RefusedEmails:
    """ASGI middleware that answers SendEmail with MessageRejected (SES API v2, SendEmail)."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request to the emulator, or refuses it."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", _SEND_EMAIL):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if refused := _refused(body):
            await _reject(send, f"{refused} refuses every email on the local stack.")
        else:
            await self._app(scope, _again(body, receive), send)


def _refused(body: bytes) -> str | None:
    """The first recipient that is refused."""
    try:
        recipients: list[Any] = json.loads(body)["Destination"]["ToAddresses"]
    except (ValueError, KeyError, TypeError):
        return None
    return next((str(to) for to in recipients if str(to).endswith(f"@{REFUSED_DOMAIN}")), None)


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read, then goes on."""
    events: list[AsgiEvent] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> AsgiEvent:
        return events.pop() if events else await receive()

    return receive_again


async def _reject(send: Send, sentence: str) -> None:
    body = json.dumps({"message": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-errortype", b"MessageRejected"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
