"""AWS over HTTP on this machine: what the measured functions ask, answered in memory.

It checks no signatures and no permissions. Each measured process has a stand-in of its own, so its
requests are counted and its data is new.
"""

import json
import threading
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from infra.runtime import HOST
from tests.bench.aws.dynamodb import Refused, Tables


class _Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class _Answer(NamedTuple):
    body: bytes
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = {}


class AwsStandIn(ThreadingTCPServer):
    """A server that knows the operations that the measured functions use."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, keys: Mapping[str, Sequence[str]], secrets: Mapping[str, str]) -> None:
        """Args:
        keys: names of the key attributes by table.
        secrets: texts by name.
        """
        super().__init__((HOST, 0), _Connection)
        self.tables = Tables(keys)
        self.secrets = secrets
        self.objects: dict[str, bytes] = {}
        """Content of S3 by bucket and key."""
        self.requests: Counter[str] = Counter()
        """Number of requests by operation."""
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    @property
    def url(self) -> str:
        """Endpoint of all services."""
        return f"http://{HOST}:{self.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def __enter__(self) -> Self:
        return self

    def answer(self, request: _Request) -> _Answer:
        """Answers a request, by its target (JSON protocols) or by its path (REST)."""
        with self._lock:
            target = request.headers.get("x-amz-target")
            if not target:
                return self._rest(request)
            service, _, operation = target.partition(".")
            self.requests[operation] += 1
            try:
                told = self._told(service, operation, json.loads(request.body))
            except Refused as refused:
                return _Answer(json.dumps(refused.answer).encode(), HTTPStatus.BAD_REQUEST)
            return _Answer(json.dumps(told).encode())

    def _told(self, service: str, operation: str, about: Mapping[str, Any]) -> dict[str, Any]:
        if service.startswith("DynamoDB"):
            return self.tables.answer(operation, about)
        if operation == "GetSecretValue":
            return {"SecretString": self.secrets[about["SecretId"]]}
        if operation == "StartExecution":
            return {"executionArn": f"{about['stateMachineArn']}:{about['name']}", "startDate": 0}
        raise NotImplementedError(f"The stand-in has no {operation}.")

    def _rest(self, request: _Request) -> _Answer:
        path = urlsplit(request.path).path
        if path == "/v2/email/outbound-emails":
            self.requests["SendEmail"] += 1
            return _Answer(json.dumps({"MessageId": str(uuid.uuid4())}).encode())
        if path.startswith("/schedules/"):
            self.requests["CreateSchedule"] += 1
            return _Answer(json.dumps({"ScheduleArn": f"arn:aws:scheduler:::{path}"}).encode())
        if query := urlsplit(request.path).query:
            return self._multipart(request.method, query)
        if request.method == "PUT":
            self.requests["PutObject"] += 1
            self.objects[path] = request.body
            return _Answer(b"", headers={"ETag": '"0"'})
        self.requests["GetObject"] += 1
        return self._object(path, request.headers.get("range", ""))

    def _multipart(self, method: str, query: str) -> _Answer:
        """An upload in parts, whose content is not kept."""
        self.requests["PutObject"] += 1
        if method == "PUT":
            return _Answer(b"", headers={"ETag": '"0"'})
        if query.startswith("uploads"):
            return _Answer(b"<Made><UploadId>one</UploadId></Made>")
        return _Answer(b"<Completed></Completed>")

    def _object(self, path: str, wanted: str) -> _Answer:
        content = self.objects[path]
        if not wanted:
            return _Answer(content)
        first, last = map(int, wanted.removeprefix("bytes=").split("-"))
        about = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return _Answer(content[first : last + 1], HTTPStatus.PARTIAL_CONTENT, about)


class _Connection(StreamRequestHandler):
    """One connection, kept alive. Leaner than http.server, whose time would be in every call."""

    server: AwsStandIn
    # Unbuffered writes under Nagle's algorithm cost every call about 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while request := self._read():
            answer = self.server.answer(request)
            headers = {"content-length": str(len(answer.body)), **answer.headers}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            status = HTTPStatus(answer.status)
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n"
            self.wfile.write(head.encode() + answer.body)
            self.wfile.flush()

    def _read(self) -> _Request | None:
        """The next request; null once the client has closed the connection."""
        try:
            first = self.rfile.readline().decode()
        except ConnectionError:
            return None
        if not first:
            return None
        method, path, _ = first.split(" ")
        lines = iter(self.rfile.readline, b"\r\n")
        pairs = (line.decode().split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        if headers.get("expect"):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        return _Request(method, path, headers, self._body(headers))

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline() != b"\r\n":  # the checksum that follows
            pass
        return b"".join(chunks)
