"""README's JavaScript, run by Node.js as a page would run it, against the stack."""

import shutil
import subprocess
from pathlib import Path

import pytest

from infra import sam
from infra.local.development import PUBLISHABLE
from tests.documents import blocks
from tests.e2e.conftest import LocalStack

NODE = shutil.which("node", path=sam.ROOT / ".venv/bin") or shutil.which("node")


@pytest.mark.skipif(not NODE, reason="Node.js runs JavaScript")
def test_the_fetch_of_the_readme_verifies_an_email(
    stack: LocalStack, email: str, tmp_path: Path
) -> None:
    (block,) = blocks(sam.ROOT / "README.md", "javascript")
    assert block.code.count("\n") == 8, "README announces eight lines"
    assert PUBLISHABLE in block.code
    code = block.code.replace("http://127.0.0.1:8787", stack.url).replace("ana@example.com", email)
    # A browser's prompt blocks; here it asks a file for the code that arrived meanwhile.
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
