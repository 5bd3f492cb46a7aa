"""The documents' samples, run against the stack: README's JavaScript and the curl calls."""

import json
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra import sam
from infra.local.development import PUBLISHABLE
from tests.documents import DOCUMENTS, blocks, commands
from tests.e2e.conftest import LocalStack

CALLED = (
    "verify_send",
    "verify_check",
    "verify_status",
    "send_email_template",
    "deliver_event",
    "check_app_location",
)
"""Workflows that change nothing on which other tests rely."""
NODE = shutil.which("node", path=sam.ROOT / ".venv/bin") or shutil.which("node")


@pytest.mark.skipif(not NODE, reason="Node.js runs JavaScript")
def test_the_javascript_of_the_readme_verifies_an_email(
    stack: LocalStack, email: str, tmp_path: Path
) -> None:
    (block,) = blocks(sam.ROOT / "README.md", "javascript")
    assert block.code.count("\n") == 6, "README announces six lines"
    assert PUBLISHABLE in block.code
    code = block.code.replace("http://127.0.0.1:8787", stack.url).replace("ana@example.com", email)
    # Node.js imports no URLs. A browser tells the module its own.
    module, loaded = f"{stack.url}/verify.js", tmp_path / "verify.mjs"
    loaded.write_text(
        httpx.get(module, timeout=60).text.replace("import.meta.url", json.dumps(module))
    )
    code = code.replace(module, loaded.as_uri())
    # A browser's prompt blocks; this one reads a file with the code that has arrived meanwhile.
    prompt = tmp_path / "prompt.mjs"
    prompt.write_text(
        f'const inbox = await (await fetch("{stack.url}/_local/inbox?to={email}")).json();\n'
        r"console.log(inbox[0].text.match(/\d{6}/)[0]);"
    )
    page = tmp_path / "page.mjs"
    page.write_text(
        'import { execFileSync } from "node:child_process";\n'
        "globalThis.prompt = () => "
        f"execFileSync(process.execPath, [{str(prompt)!r}]).toString();\n{code}"
    )
    ran = subprocess.run([str(NODE), page], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout, ran.returncode) == ("true\n", 0), ran.stderr


def sample_calls() -> Iterator[Any]:
    """The documents' calls of these workflows: path, headers and body of each."""
    shown = (block for document in DOCUMENTS for block in blocks(document, "console"))
    for block, command in ((each, command) for each in shown for command in commands(each)):
        words = shlex.split(command.replace("\\\n", " "), comments=True)
        url = next((word for word in words if word.startswith("http://127.0.0.1:8787")), "")
        path = url.removeprefix("http://127.0.0.1:8787")
        if words[0] != "curl" or path.removeprefix("/workflows/") not in CALLED:
            continue
        given = list(pairwise(words))
        headers = dict(value.split(": ", 1) for flag, value in given if flag == "-H")
        (body,) = (value for flag, value in given if flag == "-d")
        yield pytest.param(path, headers, body, id=block.place)


@pytest.mark.parametrize(("path", "headers", "body"), list(sample_calls()))
def test_a_sample_call_of_the_documents_is_answered(
    path: str, headers: dict[str, str], body: str, stack: LocalStack, email: str
) -> None:
    if "idempotency-key" in headers:
        headers = headers | {"idempotency-key": uuid.uuid4().hex}
    body = body.replace("ana@example.com", email)
    answer = httpx.post(f"{stack.url}{path}", headers=headers, content=body, timeout=60)
    assert answer.status_code in {200, 202}, answer.text
