"""The local server in front of an emulator that notes what reaches it."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx

from infra.console.local_reads import local_reads
from infra.local.deploy import Deployment
from infra.local.emulator import Emulator
from infra.local.guard import KEY_HEADER
from infra.local.inbox import Inbox
from infra.local.server import LocalServer
from tests import fakes

ALLOWED = ["https://app.example.com", "http://localhost:3000"]
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loads no certificates, which would take longer than a test."""


class Stack:
    """The local server, with the requests that reach the emulator and the lines of the terminal."""

    def __init__(self, server: LocalServer, lines: list[str]) -> None:
        self.server = server
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{server.server_port}", verify=NO_TLS, timeout=30
        )
        self.reached: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        """Bodies of those requests."""
        self.lines = lines
        self.emails: list[dict[str, Any]] = []
        """Emails that the emulator has, as it lists them."""
        self.reply: tuple[int, bytes, dict[str, str]] = (200, b"{}", {})
        """Answer of the API."""

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        captured: dict[str, dict[str, object]] = {
            "/_ministack/ses/messages": {"messages": {"account": self.emails}},
            "/_ministack/sns/sms-messages": {"sms_messages": {}},
        }
        if request.path in captured:
            assert headers[KEY_HEADER] == "key"
            fakes.reply(request, 200, json.dumps(captured[request.path]).encode(), {})
            return
        self.reached.append((f"{request.command} {request.path}", headers))
        self.bodies.append(body)
        allowed = (
            {"access-control-allow-origin": headers["origin"]}
            if headers.get("origin") in ALLOWED
            else {}
        )
        status, answer, more = self.reply
        fakes.reply(request, status, answer, allowed | more)

    def says(self, text: str) -> bytes:
        """Answers on one connection to which the whole text is sent at once."""
        with socket.create_connection(("127.0.0.1", self.server.server_port), timeout=10) as plain:
            plain.sendall(text.replace("\n", "\r\n").encode())
            plain.shutdown(socket.SHUT_WR)
            return plain.makefile("rb").read()


@contextmanager
def running_stack(state: Path) -> Iterator[Stack]:
    """Serves on a free port."""
    lines: list[str] = []
    server = LocalServer(0, lambda text, _tone="plain": lines.append(text))
    stack = Stack(server, lines)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    with fakes.server(stack.answer) as url, server, stack.client:
        emulator = Emulator(url, "key")
        server.deployment = Deployment(emulator, {"ApiId": "api"}, ALLOWED)
        server.inbox = Inbox(emulator, state)
        server.reads = local_reads(server)
        thread.start()
        yield stack
        server.shutdown()
    thread.join()
