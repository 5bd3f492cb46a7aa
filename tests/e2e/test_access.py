"""Access to the API: tokens, scopes, CORS, and local-only paths."""

import socket

import httpx
import pytest

from tests.e2e.conftest import LocalStack

BODY = {"verification_id": "k1.unknown", "code": "000000"}


def check(
    stack: LocalStack, headers: dict[str, str] | None = None, query: str = ""
) -> httpx.Response:
    return httpx.post(
        f"{stack.url}/workflows/verify_check{query}", json=BODY, headers=headers or {}, timeout=60
    )


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_no_token_is_a_401(stack: LocalStack) -> None:
    assert check(stack).status_code == 401


@pytest.mark.parametrize("token", ["x", "wf_short", "wf_" + "a" * 43])
def test_an_unknown_token_is_a_403(token: str, stack: LocalStack) -> None:
    assert check(stack, bearer(token)).status_code == 403


def test_a_token_in_the_url_is_refused(stack: LocalStack) -> None:
    token = stack.printed("secret")
    assert check(stack, query=f"?access_token={token}").status_code == 401
    refused = check(stack, bearer(token), query=f"?access_token={token}")
    assert (refused.status_code, refused.json()["code"]) == (401, "token_in_url")


def test_a_token_does_what_its_scopes_say(stack: LocalStack) -> None:
    token = stack.new_token("secret", "workflow:verify_send")["token"]
    refused = check(stack, bearer(token))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    token = stack.new_token("secret", "workflow:verify_check")["token"]
    assert check(stack, bearer(token)).json()["valid"] is False


def test_a_revoked_token_is_refused_once_the_authorizers_cache_has_passed(
    stack: LocalStack,
) -> None:
    """The token is revoked before its first use, so that no answer is cached."""
    issued = stack.new_token("secret", "workflow:verify_check")
    done = stack.token("revoke", issued["token_id"])
    assert done.returncode == 0, done.stderr
    assert check(stack, bearer(issued["token"])).status_code == 403


def test_tokens_are_listed_without_their_text(stack: LocalStack) -> None:
    issued = stack.new_token("publishable", "workflow:verify_send")
    listed = stack.token("list").stdout
    assert issued["token_id"] in listed
    assert issued["token"] not in listed


def test_a_token_that_cannot_be_is_refused_with_a_sentence(stack: LocalStack) -> None:
    done = stack.token(
        "issue", "--name", "x", "--kind", "publishable", "--scopes", "workflow:verify_delete"
    )
    assert done.returncode == 1
    assert "cannot hold workflow:verify_delete" in done.stderr


def preflight(stack: LocalStack, origin: str) -> httpx.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }
    return httpx.options(f"{stack.url}/workflows/verify_check", headers=headers)


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://localhost:4200", "https://127.0.0.1:8443"]
)
def test_a_preflight_from_an_allowed_origin_or_this_machine_is_answered(
    origin: str, stack: LocalStack
) -> None:
    headers = preflight(stack, origin).headers
    assert headers["access-control-allow-origin"] == origin
    assert "POST" in headers["access-control-allow-methods"]
    allowed = {name.strip() for name in headers["access-control-allow-headers"].split(",")}
    assert allowed == {"authorization", "content-type", "prefer", "idempotency-key"}


def test_a_preflight_from_another_origin_allows_nothing_and_the_terminal_says_so(
    stack: LocalStack,
) -> None:
    for _ in range(2):
        assert (
            "access-control-allow-origin"
            not in preflight(stack, "https://preflight.example").headers
        )
    said = stack.wait_for_text("refused a page of 'https://preflight.example'")
    (line,) = [line for line in said.splitlines() if "preflight.example" in line]
    assert line.endswith(
        "make run ALLOWED_ORIGINS=http://localhost:3000,http://localhost:5173,https://preflight.example"
    )


def test_a_page_may_read_the_headers_that_clients_need(stack: LocalStack) -> None:
    answer = check(stack, bearer(stack.printed("secret")) | {"origin": "http://localhost:3000"})
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {
        "location",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
        "x-request-id",
        "preference-applied",
    } == exposed


def test_local_pages_answer_only_to_a_loopback_host_and_have_no_cors(stack: LocalStack) -> None:
    inbox = f"{stack.url}/_local/inbox"
    assert httpx.get(inbox, headers={"host": "evil.example"}).status_code == 403
    assert httpx.get(inbox, headers={"origin": "http://localhost:3000"}).status_code == 403
    answer = httpx.get(inbox, headers={"origin": stack.url})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_path_does_not_lead_out_of_the_api_into_the_emulator(stack: LocalStack) -> None:
    url = httpx.URL(stack.url)
    for path in (
        "/../../../../_ministack/ses/messages",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/_ministack/ses/messages",
    ):
        with socket.create_connection((url.host, url.port or 80)) as plain:
            plain.sendall(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
            )
            assert plain.makefile().readline().startswith("HTTP/1.1 400")


def test_an_unknown_path_is_a_404(stack: LocalStack) -> None:
    assert (
        httpx.post(
            f"{stack.url}/workflows/nothing", headers=bearer(stack.printed("secret"))
        ).status_code
        == 404
    )
