"""The console: who may read it, and with which headers it answers."""

from email.message import Message

import pytest

from infra.console import static
from infra.console.routes import Request, Route, Routes
from tests.builders.local_servers import ALLOWED, Stack

PAGES = ["/", "/console", "/console/inbox", "/console/runs/greet.0123", "/console/requests/a-b"]
READS = ["/_local/about", "/_local/inbox", "/_local/requests", "/_local/workflows"]
ASSET = "/console/assets/app.js"
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def own(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.server.server_port}"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_the_same_document_in_which_only_own_scripts_run(
    path: str, stack: Stack
) -> None:
    page = stack.client.get(path)
    assert page.status_code == 200
    assert page.content == (static.STATIC / "index.html").read_bytes()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy)
    assert f"connect-src 'self' {stack.server.deployment.emulator.url}" in policy
    assert "unsafe" not in page.headers["content-security-policy"]
    assert stack.reached == []


@pytest.mark.parametrize("path", [*PAGES, *READS, "/_local/nothing"])
def test_no_other_page_can_frame_load_or_sniff_an_answer(path: str, stack: Stack) -> None:
    headers = stack.client.get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_only_read(path: str, stack: Stack) -> None:
    assert stack.client.head(path).content == b""
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert stack.client.request(method, path).status_code == 405
    assert stack.reached == []


@pytest.mark.parametrize("path", PAGES)
def test_a_link_of_any_page_leads_to_the_console(path: str, stack: Stack) -> None:
    assert stack.client.get(path, headers=LINK).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {},
    ],
)
def test_another_page_can_embed_and_fetch_nothing(
    headers: dict[str, str], site: str, stack: Stack
) -> None:
    for path in ("/", "/console/inbox", *READS, ASSET):
        answer = stack.client.get(path, headers={"sec-fetch-site": site, **headers})
        assert answer.status_code == 403, path


@pytest.mark.parametrize("path", [*READS, ASSET])
def test_a_link_of_another_page_leads_to_no_read_and_no_asset(path: str, stack: Stack) -> None:
    assert stack.client.get(path, headers=LINK).status_code == 403


@pytest.mark.parametrize("allowed", [ALLOWED, ["*"]])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost:3000",
        "http://localhost:{port}",
        "http://[::1]:{port}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1",
        "http://127.0.0.1:{port}.evil.example",
        *ALLOWED,
    ],
)
def test_only_the_exact_own_origin_may_read_whatever_allowed_origins_says(
    origin: str, allowed: list[str], stack: Stack
) -> None:
    stack.server.deployment = stack.server.deployment._replace(origins=allowed)
    headers = {"origin": origin.format(port=stack.server.server_port)}
    for path in (*READS, "/", ASSET):
        assert stack.client.get(path, headers=headers).status_code == 403, path
    path = "/_local/webhooks/usersnap/sample"
    assert stack.client.post(path, json={}, headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_the_console_reads_under_each_name_of_this_machine(host: str, stack: Stack) -> None:
    host = f"{host}:{stack.server.server_port}"
    headers = {"host": host, "origin": f"http://{host.lower()}", "sec-fetch-site": "same-origin"}
    assert stack.client.get("/_local/inbox", headers=headers).json() == []


def test_two_origins_are_no_own_origin(stack: Stack) -> None:
    text = (
        f"GET /_local/about HTTP/1.1\nHost: 127.0.0.1:{stack.server.server_port}\n"
        f"Origin: {own(stack)}\nOrigin: https://evil.example\n\n"
    )
    assert b" 403 " in stack.says(text).splitlines()[0]


@pytest.mark.parametrize("path", [*PAGES, *READS, "/_local/nothing", ASSET])
def test_no_answer_has_a_header_of_cors(path: str, stack: Stack) -> None:
    for method in ("GET", "OPTIONS", "POST", "HEAD"):
        for headers in ({}, {"origin": own(stack)}, {"origin": ALLOWED[0]}):
            asked = {"access-control-request-method": "GET"} | headers
            answer = stack.client.request(method, path, headers=asked)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/assets/../handler.py", 400),
        ("/console/assets/%2e%2e/handler.py", 400),
        ("/console/assets/..%2fhandler.py", 404),
        ("/console/assets/..%5chandler.py", 404),
        ("/console/assets/%2e%2e%2f%2e%2e%2fconsole%2fhandler.py", 404),
        ("/console/assets//etc/passwd", 404),
        ("/console/assets/%2fetc%2fpasswd", 404),
        ("/console/assets/app.js%00", 404),
        ("/console/assets/app.js\0", 404),
        ("/console/assets/", 404),
        ("/console/assets/index.html", 404),
        ("/_local/inbox/..%2f..%2fabout/html", 404),
        ("/_local/inbox/%00/html", 404),
        ("/_local/emails/..%2f../en", 404),
        ("/_local/emails/welcome/%00", 404),
    ],
)
def test_no_path_leads_out_of_the_console(path: str, status: int, stack: Stack) -> None:
    answer = stack.says(f"GET {path} HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n")
    assert f" {status} ".encode() in answer.splitlines()[0]
    assert b"def " not in answer
    assert stack.reached == []


@pytest.mark.parametrize("path", ["/_local", "/consoles", "/console.js", "/Console/", "/%5Flocal/"])
def test_similar_paths_are_the_apis(path: str, stack: Stack) -> None:
    stack.client.get(path)
    assert len(stack.reached) == 1


def test_an_asset_is_revalidated_by_its_etag(stack: Stack) -> None:
    first = stack.client.get(ASSET)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    again = stack.client.get(ASSET, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", [*READS, "/_local/emails"])
def test_an_unchanged_read_is_a_304(path: str, stack: Stack) -> None:
    tag = stack.client.get(path).headers["etag"]
    unchanged = stack.client.get(path, headers={"if-none-match": f'"x", W/{tag}'})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert stack.client.get(path, headers={"if-none-match": '"x"'}).status_code == 200


def test_a_changed_read_is_sent_again(stack: Stack) -> None:
    tag = stack.client.get("/_local/requests").headers["etag"]
    stack.client.get("/runs")
    answer = stack.client.get("/_local/requests", headers={"if-none-match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


def test_a_sample_is_asked_for_as_json(stack: Stack) -> None:
    """No form of another page can have this content type."""
    path = "/_local/webhooks/ses/sample"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = stack.client.post(path, content=b"{}", headers={"content-type": kind})
        assert answer.status_code == 415
    assert stack.client.post(path, json={}).status_code == 200
    wrong = {"content-type": "application/json"}
    assert stack.client.post(path, content=b"{", headers=wrong).status_code == 400
    assert stack.client.get(path).status_code == 405


def test_a_long_body_is_not_read(stack: Stack) -> None:
    text = "POST /_local/about HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 1000001\n\n"
    assert b" 413 " in stack.says(text).splitlines()[0]


def test_a_read_that_fails_is_answered_and_told_on_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def respond(_: Request) -> object:
        raise ValueError("no such thing")

    routes = Routes(Route("GET", "/_local/thing", respond))
    answer = routes.answer(Request("GET", "/_local/thing", {}, Message()))
    assert answer.status == 500
    assert b"no such thing" not in answer.body
    assert "GET /_local/thing: ValueError: no such thing" in capsys.readouterr().out
