"""The local server: who may call the API, and what reaches the emulator."""

import socket
import threading

import pytest

from infra.local.guard import KEY_HEADER
from tests.builders.local_servers import ALLOWED, Stack

CHUNKED = "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\nTransfer-Encoding: chunked\n\n"


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:4200",
        "http://localhost",
        "https://localhost:5173",
        "http://127.0.0.1:8080",
        "https://127.0.0.1",
        "http://[::1]:3000",
        *ALLOWED,
    ],
)
def test_a_page_of_this_machine_or_of_an_allowed_origin_may_call_the_api(
    origin: str, stack: Stack
) -> None:
    answer = stack.client.post(
        "/workflows/x", headers={"origin": origin, "sec-fetch-site": "cross-site"}
    )
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    ((request, headers),) = stack.reached
    assert request == "POST /_aws/execute-api/api/$default/workflows/x"
    assert headers["origin"] in ALLOWED
    assert "refused" not in "".join(stack.lines)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost:3000.evil.example",
        "http://evil.example:3000",
        "http://127.0.0.1.evil.example",
        "http://app.example.com",
        "file://",
        "chrome-extension://abc",
    ],
)
def test_a_page_of_another_origin_is_refused_and_the_terminal_says_so_once(
    origin: str, stack: Stack
) -> None:
    for method in ("POST", "GET", "OPTIONS", "DELETE"):
        answer = stack.client.request(method, "/workflows/x", headers={"origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert stack.reached == []
    (line,) = stack.lines
    assert origin in line
    assert f"make run ALLOWED_ORIGINS={','.join(ALLOWED)},{origin}" in line


def test_two_origins_are_two_lines(stack: Stack) -> None:
    for origin in ("https://a.example", "https://b.example", "https://a.example"):
        stack.client.get("/", headers={"origin": origin})
    assert len(stack.lines) == 2


def test_a_file_is_told_to_be_served(stack: Stack) -> None:
    assert stack.client.post("/workflows/x", headers={"origin": "null"}).status_code == 403
    assert stack.lines == [
        "refused a page without an origin, such as a file or a frame: serve it from http://localhost"
    ]


def test_allowing_every_origin_works(stack: Stack) -> None:
    stack.server.deployment = stack.server.deployment._replace(origins=["*"])
    assert (
        stack.client.post("/workflows/x", headers={"origin": "https://evil.example"}).status_code
        == 200
    )


def test_public_documents_are_for_scripts_of_every_page(stack: Stack) -> None:
    """A browser requests a `<script src>` without an Origin."""
    assert (
        stack.client.get("/usersnap.js", headers={"sec-fetch-site": "cross-site"}).status_code
        == 200
    )


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_local_only_paths_refuse_pages(method: str, site: str, stack: Stack) -> None:
    headers = {"sec-fetch-site": site}
    assert stack.client.request(method, "/_local/inbox", headers=headers).status_code == 403
    assert (
        stack.client.request(
            method, "/_local/inbox", headers=headers | {"origin": ALLOWED[1]}
        ).status_code
        == 403
    )


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "none"}, {"sec-fetch-site": "same-origin"}]
)
def test_the_inbox_is_for_programs_and_for_whoever_opens_it(
    headers: dict[str, str], stack: Stack
) -> None:
    assert stack.client.get("/_local/inbox", headers=headers).json() == []


@pytest.mark.parametrize("path", ["/_local/inbox", "/workflows/x"])
@pytest.mark.parametrize(
    "host",
    ["Host: evil.example\n", "Host: a.localhost\n", "Host: 127.0.0.1\nHost: evil.example\n", ""],
)
def test_one_loopback_host_is_named(host: str, path: str, stack: Stack) -> None:
    assert (
        b" 403 " in stack.says(f"POST {path} HTTP/1.1\n{host}Content-Length: 0\n\n").splitlines()[0]
    )
    assert stack.reached == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/_local/inbox",
        "http://evil.example/x",
        "*",
        "evil:80",
        "/../../_ministack/reset",
        "/%2e%2E/x",
    ],
)
def test_a_target_that_is_not_a_plain_path_is_refused(target: str, stack: Stack) -> None:
    assert b" 400 " in stack.says(f"GET {target} HTTP/1.1\nHost: 127.0.0.1\n\n").splitlines()[0]
    assert stack.reached == []


@pytest.mark.parametrize(
    "first",
    [
        (
            "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\n"
            "Origin: https://evil.example\nContent-Length: {length}\n\n"
        ),
        "POST /workflows/x HTTP/1.1\nHost: evil.example\nContent-Length: {length}\n\n",
        "POST /_local/inbox HTTP/1.1\nHost: 127.0.0.1\nContent-Length: {length}\n\n",
        "GET /_local/inbox HTTP/1.1\nHost: 127.0.0.1\nContent-Length: {length}\n\n",
        "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\nTransfer-Encoding: chunked\n\n",
        (
            "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\n"
            "Content-Length: 0\nContent-Length: {length}\n\n"
        ),
        "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\nContent-Length: +1\n\n",
        (
            "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\n"
            "Transfer-Encoding: chunked\nContent-Length: {length}\n\n0\n\n"
        ),
        "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\nTransfer-Encoding: gzip, chunked\n\n0\n\n",
        CHUNKED + "2\n{{}}too much\n0\n\n",
        CHUNKED + "-1\n\n0\n\n",
        CHUNKED + "ffffffff\n",
    ],
)
def test_a_body_that_is_not_read_is_not_the_next_request(first: str, stack: Stack) -> None:
    """A page controls its body, which would otherwise count as a request without an Origin."""
    hidden = "POST /workflows/hidden HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 0\n\n"
    length = len(hidden.replace("\n", "\r\n"))
    assert stack.says(first.format(length=length) + hidden).count(b"HTTP/1.1 ") == 1
    assert stack.reached == []


def test_a_body_that_is_read_leaves_the_connection_open(stack: Stack) -> None:
    one = "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 2\n\n{}"
    assert stack.says(one * 2).count(b"HTTP/1.1 200") == 2


def test_a_body_in_chunks_is_read_to_its_end_as_clients_that_stream_send_it(stack: Stack) -> None:
    one = CHUNKED + '6;note=1\n{"a": \n2\n1}\n0\nTrailer: x\n\n'
    assert stack.says(one * 2).count(b"HTTP/1.1 200") == 2
    assert stack.bodies == [b'{"a": 1}'] * 2


def test_a_body_that_api_gateway_would_not_take_is_refused_before_it_is_read(stack: Stack) -> None:
    head = "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 10000001\n\n"
    assert b" 413 " in stack.says(head).splitlines()[0]
    assert stack.reached == []


def test_only_the_server_passes_a_key_to_the_emulator(stack: Stack) -> None:
    stack.client.post("/workflows/x", headers={KEY_HEADER: "mine"})
    assert stack.reached[0][1][KEY_HEADER] == "key"


def test_header_lines_of_one_name_reach_the_api_as_one_list(stack: Stack) -> None:
    stack.says(
        "POST /workflows/x HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 0\n"
        "Prefer: respond-async\nPrefer: wait=10\nCookie: a=1\nCookie: b=2\n\n"
    )
    ((_, headers),) = stack.reached
    assert headers["prefer"] == "respond-async, wait=10"
    assert headers["cookie"] == "a=1; b=2"


def test_answers_are_sent_at_once_on_a_kept_connection(stack: Stack) -> None:
    """With Nagle's algorithm a body waits until the client acknowledges the headers: 40 ms."""
    undelayed: list[int] = []
    finish = stack.server.shutdown_request

    def note(request: socket.socket) -> None:
        undelayed.append(request.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        finish(request)

    stack.server.shutdown_request = note  # type: ignore[assignment,method-assign] # sees the socket
    assert stack.says("GET /console HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n")
    assert undelayed == [1]


def test_public_calls_pass_while_the_authorizer_starts_and_those_with_a_token_wait(
    stack: Stack,
) -> None:
    ready = stack.server.authorizer_ready
    ready.clear()
    passed: list[int] = []

    def call() -> None:
        answer = stack.client.post("/workflows/x", headers={"authorization": "Bearer t"})
        passed.append(answer.status_code)

    waiting = threading.Thread(target=call)
    waiting.start()
    assert stack.client.get("/openapi.json").status_code == 200
    waiting.join(0.1)
    assert passed == []
    ready.set()
    waiting.join(30)
    assert passed == [200]
