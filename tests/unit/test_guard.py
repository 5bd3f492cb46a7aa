"""The guard in front of the emulator, tested on requests alone."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.guard import KEY_HEADER, AsgiEvent, Guard, Receive, Scope, Send

KEY = "key-of-this-run"
RUNS = "/local-runs-000000000000-us-east-1"
ALLOWED = "http://localhost:3000"
PAGE = {"origin": ALLOWED, "sec-fetch-site": "cross-site"}
FORM = {"content-type": "multipart/form-data; boundary=b"}
OWN = [
    "/_ministack/reset",
    "/_ministack/ses/messages",
    "/_ministack/config",
    "/_ministack/lambda-code/x",
]
OWN += [
    "/_localstack/health",
    "/health",
    "/latest/meta-data/iam/security-credentials/",
    "/v2/credentials/x",
    "/v4/abcdefgh",
]
OWN += ["//_ministack/reset", "/_MINISTACK/reset", "/_ministack", "/_ministack/\n"]


class Emulator:
    """Notes each request that reaches it, and answers preflights as MiniStack does.

    The answer follows the bucket's configuration, or is `*`.
    """

    def __init__(self) -> None:
        self.served: list[Scope] = []

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        self.served.append(scope)
        headers = dict(scope.get("headers", []))
        in_bucket = scope.get("path", "").rstrip("/") == RUNS
        allowed = (
            ALLOWED.encode() if in_bucket and headers.get(b"origin") == ALLOWED.encode() else None
        )
        allowed = allowed if in_bucket else b"*"
        answer = [(b"Access-Control-Allow-Origin", allowed)] if allowed else []
        await send({"type": "http.response.start", "status": 200, "headers": answer})
        await send({"type": "http.response.body", "body": b""})


def ask(
    method: str = "POST",
    path: str = "/",
    headers: dict[str, str] | None = None,
    *,
    query: str = "",
    kind: str = "http",
    hosts: tuple[str, ...] = ("127.0.0.1:4566",),
    repeated: tuple[tuple[str, str], ...] = (),
) -> tuple[list[AsgiEvent], Emulator, list[str]]:
    """The client's answer, what reached the emulator, and the reported lines."""
    emulator, sent, lines = Emulator(), list[AsgiEvent](), list[str]()
    pairs = [*(("host", host) for host in hosts), *(headers or {}).items(), *repeated]
    scope = {"type": kind, "path": path, "query_string": query.encode()} | (
        {"method": method} if kind == "http" else {}
    )
    scope["headers"] = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]

    async def receive() -> AsgiEvent:
        raise AssertionError("the body of a request that is refused is not read")

    async def send(event: AsgiEvent) -> None:
        sent.append(event)

    asyncio.run(Guard(emulator, KEY, lines.append)(scope, receive, send))
    return sent, emulator, lines


def passes(*given: Any, **more: Any) -> bool:
    """Whether the request itself reached the emulator.

    A refused request gets a 403, and one line is reported.
    """
    sent, _, lines = ask(*given, **more)
    if sent[0]["status"] == 200:
        assert lines == []
        return True
    assert [event["type"] for event in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 403
    assert (b"connection", b"close") in sent[0]["headers"]
    assert not [name for name, _ in sent[0]["headers"] if name.startswith(b"access-control")]
    assert len(lines) == 1
    return False


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:4566", "localhost:4566", "LOCALHOST", "[::1]:4566", "[::1]"]
)
def test_a_program_of_this_machine_may_do_everything(host: str) -> None:
    assert passes(
        "POST",
        "/2015-03-31/functions",
        {"content-type": "text/plain"},
        query="X-Amz-Signature=junk",
        hosts=(host,),
    )
    assert passes("GET", f"{RUNS}/runs/x", hosts=(host,))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
        "evil@127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1/evil",
        "127.0.0.1:80:80",
        "local-runs.localhost:4566",
        "api.execute-api.localhost:4566",
        "localhost.:4566",
        "::1",
        "0",
        "127.1",
        "",
    ],
)
def test_another_host_is_refused_because_a_page_may_have_made_its_name_resolve_to_loopback(
    host: str,
) -> None:
    assert not passes("GET", "/", hosts=(host,))
    assert not passes("GET", "/", {KEY_HEADER: KEY}, hosts=(host,))


@pytest.mark.parametrize(
    "hosts", [(), ("127.0.0.1", "evil.example"), ("evil.example", "127.0.0.1"), ("127.0.0.1",) * 2]
)
def test_exactly_one_host_is_named(hosts: tuple[str, ...]) -> None:
    assert not passes("GET", "/", hosts=hosts)


@pytest.mark.parametrize(
    "path", ["http://evil.example/", "http://127.0.0.1/_ministack/reset", "evil:80", "*", ""]
)
def test_a_target_that_is_no_path_is_refused(path: str) -> None:
    assert not passes("GET", path)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"ORIGIN": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:4566", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"sec-fetch-site": "none"},
        PAGE,
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        (
            "POST",
            "/2015-03-31/functions",
            "X-Amz-Credential=test/x/us-east-1/lambda/aws4_request&X-Amz-Signature=junk",
        ),
        ("GET", "/", "Action=ListRoles&X-Amz-Credential=test/x/us-east-1/iam/aws4_request"),
        ("POST", "/", ""),
        ("OPTIONS", "/", ""),
        ("PUT", f"{RUNS}/runs/x", ""),
        ("POST", "/_aws/execute-api/api/$default/workflows/verify_send", ""),
    ],
)
def test_a_page_may_do_nothing(headers: dict[str, str], method: str, path: str, query: str) -> None:
    assert not passes(method, path, {"content-type": "text/plain"} | headers, query=query)


@pytest.mark.parametrize("path", OWN)
def test_the_emulators_own_paths_need_the_key_of_this_run(path: str) -> None:
    assert passes("POST", path, {KEY_HEADER: KEY})
    for wrong in ("", "another", KEY + "x", "\xff"):
        assert not passes("POST", path, {KEY_HEADER: wrong})
    assert not passes("POST", path)
    assert not passes("POST", path, {KEY_HEADER: KEY}, repeated=((KEY_HEADER, KEY),))


def test_a_bucket_may_begin_like_what_is_the_emulators_own() -> None:
    assert passes("GET", "/health-records/x")
    assert passes("GET", "/latest.files/x")


def test_the_local_server_passes_on_what_pages_ask_and_the_key_stays_here() -> None:
    sent, emulator, _ = ask(
        "POST", "/_aws/execute-api/api/$default/x", PAGE | {KEY_HEADER.title(): KEY, "a": "b"}
    )
    assert sent[0]["status"] == 200
    names = [name for name, _ in emulator.served[0]["headers"]]
    assert names == [b"host", b"origin", b"sec-fetch-site", b"a"]


@pytest.mark.parametrize("path", [RUNS, f"{RUNS}/"])
def test_a_page_whose_origin_the_bucket_allows_may_post_a_form_there(path: str) -> None:
    assert passes("POST", path, PAGE | FORM)
    assert passes("OPTIONS", path, PAGE | {"access-control-request-method": "POST"})


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:3001", "*", "HTTP://LOCALHOST:3000"],
)
def test_a_page_of_another_origin_may_not(origin: str) -> None:
    for path in (RUNS, "/local-artifacts"):
        assert not passes("POST", path, FORM | {"origin": origin})
        assert not passes(
            "OPTIONS", path, {"origin": origin, "access-control-request-method": "POST"}
        )


def test_a_page_that_names_no_origin_or_two_may_not() -> None:
    assert not passes("POST", RUNS, FORM | {"sec-fetch-site": "cross-site"})
    assert not passes("POST", RUNS, FORM | PAGE, repeated=(("origin", ALLOWED),))


@pytest.mark.parametrize(
    ("method", "path", "headers", "query"),
    [
        ("POST", "/local-artifacts", FORM, ""),
        ("POST", f"{RUNS}/runs/x", FORM, ""),
        ("POST", RUNS, FORM, "Action=ListRoles"),
        ("POST", RUNS, FORM | {"x-amz-target": "secretsmanager.GetSecretValue"}, ""),
        (
            "POST",
            RUNS,
            FORM | {"authorization": "AWS4-HMAC-SHA256 Credential=test/x/us-east-1/lambda/"},
            "",
        ),
        ("POST", RUNS, {"content-type": "text/plain"}, ""),
        ("POST", RUNS, {"content-type": "application/x-www-form-urlencoded"}, ""),
        ("POST", RUNS, {}, ""),
        ("PUT", RUNS, FORM, ""),
        ("GET", RUNS, {}, ""),
        ("OPTIONS", RUNS, {"access-control-request-method": "PUT"}, ""),
        ("OPTIONS", RUNS, {}, ""),
        ("OPTIONS", "/local-artifacts", {"access-control-request-method": "POST"}, ""),
        ("POST", "/_ministack", FORM, ""),
    ],
)
def test_an_allowed_page_may_do_nothing_else(
    method: str, path: str, headers: dict[str, str], query: str
) -> None:
    assert not passes(method, path, PAGE | headers, query=query)


EXPORT = f"{RUNS}/runs/greet.{'0' * 26}/0123abcd/export.csv"
OPENED = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}
SIGNED = {
    "response-content-disposition": 'attachment; filename="greet.0.csv"',
    "response-content-type": "text/csv; charset=utf-8",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "ASIA0/20261127/us-east-1/s3/aws4_request",
    "X-Amz-Date": "20261127T133614Z",
    "X-Amz-Expires": "900",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "0123abcd",
}


@pytest.mark.parametrize("site", ["none", "same-site", "cross-site"])
@pytest.mark.parametrize("more", [{}, {"X-Amz-Security-Token": "0123abcd"}])
def test_a_browser_opens_the_url_of_an_exported_run(site: str, more: dict[str, str]) -> None:
    headers = OPENED | {"sec-fetch-site": site}
    assert passes("GET", EXPORT, headers, query=urlencode(SIGNED | more))


@pytest.mark.parametrize(
    ("method", "path", "headers", "query"),
    [
        ("POST", EXPORT, {}, {}),
        ("GET", EXPORT, {"sec-fetch-mode": "no-cors"}, {}),
        ("GET", EXPORT, {"origin": ALLOWED}, {}),
        ("GET", EXPORT, {"x-amz-target": "secretsmanager.GetSecretValue"}, {}),
        ("GET", EXPORT, {"authorization": "AWS4-HMAC-SHA256 Credential=x"}, {}),
        ("GET", EXPORT.replace("export.csv", "items.jsonl"), {}, {}),
        ("GET", f"{RUNS}/uploads/0/0.csv", {}, {}),
        ("GET", EXPORT, {}, {"Action": "ListRoles"}),
        ("GET", EXPORT, {}, {"X-Amz-Credential": "ASIA0/20261127/us-east-1/iam/aws4_request"}),
        ("GET", EXPORT, {}, {"response-content-type": "text/html"}),
        ("GET", EXPORT, {}, {"response-content-disposition": "inline"}),
    ],
)
def test_a_browser_opens_nothing_else(
    method: str, path: str, headers: dict[str, str], query: dict[str, str]
) -> None:
    assert not passes(method, path, OPENED | headers, query=urlencode(SIGNED | query))


@pytest.mark.parametrize("name", SIGNED)
def test_no_part_of_such_a_url_may_be_missing_or_repeated(name: str) -> None:
    without = {other: value for other, value in SIGNED.items() if other != name}
    assert not passes("GET", EXPORT, OPENED, query=urlencode(without))
    assert not passes(
        "GET", EXPORT, OPENED, query=f"{urlencode(SIGNED)}&{urlencode({name: SIGNED[name]})}"
    )


@pytest.mark.parametrize(
    "headers", [PAGE, {"origin": "https://evil.example"}, {"sec-fetch-site": "same-origin"}]
)
def test_a_page_opens_no_websocket(headers: dict[str, str]) -> None:
    sent, emulator, lines = ask(path=RUNS, headers=headers | FORM, kind="websocket")
    assert ([event["type"] for event in sent], emulator.served) == (["websocket.close"], [])
    assert len(lines) == 1


def test_a_websocket_under_another_host_is_refused_and_one_of_a_program_is_not() -> None:
    assert ask(path="/x", kind="websocket", hosts=("evil.example",))[1].served == []
    assert len(ask(path="/x", kind="websocket")[1].served) == 1


def test_the_emulator_still_starts_and_stops() -> None:
    emulator = Emulator()

    async def nothing() -> AsgiEvent:
        return {}

    async def ignore(_: AsgiEvent) -> None:
        return

    asyncio.run(Guard(emulator, KEY, list[str]().append)({"type": "lifespan"}, nothing, ignore))
    assert [scope["type"] for scope in emulator.served] == ["lifespan"]


def test_a_line_names_the_request_without_its_query() -> None:
    (line,) = ask("GET", "/x\n" + "y" * 500, {"origin": "null"}, query="secret=1")[2]
    assert line.startswith(r"refused GET '/x\ny")
    assert "secret" not in line
    assert len(line) < 400
