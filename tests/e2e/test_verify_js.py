"""verify.js over HTTP: served as a page loads it, and used as a page uses it."""

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from infra import sam
from infra.local.development import PUBLISHABLE
from tests.e2e.conftest import LocalStack

PAGE = "http://localhost:3000"
NODE = shutil.which("node", path=sam.ROOT / ".venv/bin") or shutil.which("node")
USE = """
import { LimitExceeded, createVerifyClient } from "./verify.js";
const [url, token, to] = process.argv.slice(2);
const verify = createVerifyClient({ url, token });
const sent = await verify.send({ to });
const limited = await verify.send({ to }).catch((error) => error);
const inbox = await (await fetch(`${url}/_local/inbox?to=${to}`)).json();
const code = inbox[0].text.match(/[0-9]{6}/)[0];
const wrong = await verify.check({ ...sent, code: code === "000000" ? "000001" : "000000" });
const right = await verify.check({ ...sent, code });
console.log(sent.codeLength, limited instanceof LimitExceeded, limited.retryAfter > 0);
console.log(wrong.valid, wrong.attemptsLeft, right.valid, right.to === to);
console.log(sent.resendAt < sent.expiresAt);
"""


def load(stack: LocalStack, name: str, **headers: str) -> httpx.Response:
    """A module as a page of another origin loads it: with CORS, and without a token."""
    asked = {"origin": PAGE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"} | headers
    return httpx.get(f"{stack.url}/{name}", headers=asked, timeout=60)


@pytest.mark.parametrize("name", ["verify.js", "verify-messages.js"])
def test_a_page_of_another_origin_loads_the_module_and_keeps_it(
    stack: LocalStack, name: str
) -> None:
    answer = load(stack, name)
    assert answer.status_code == 200
    assert answer.text == (sam.ROOT / "functions/api/documents" / name).read_text()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    again = load(stack, name, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.text) == (304, "")
    assert again.headers["access-control-allow-origin"] == PAGE


def test_its_types_are_beside_it(stack: LocalStack) -> None:
    assert "createVerifyClient" in load(stack, "verify.d.ts").text


def test_a_page_may_send_the_key_of_a_submit(stack: LocalStack) -> None:
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }
    preflight = httpx.options(f"{stack.url}/workflows/verify_send", headers=asked, timeout=60)
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed.split(","))


@pytest.mark.skipif(not NODE, reason="Node.js runs JavaScript")
def test_it_verifies_an_email(stack: LocalStack, email: str, tmp_path: Path) -> None:
    (tmp_path / "verify.js").write_text(load(stack, "verify.js").text)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "use.js").write_text(USE)
    ran = subprocess.run(
        [str(NODE), tmp_path / "use.js", stack.url, PUBLISHABLE, email],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stdout.split("\n")[:3] == ["6 true true", "false 4 true true", "true"], ran.stderr
