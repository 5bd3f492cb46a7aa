"""`make workflow`, whole: two workflows made in a clone, with the linter, the formatter and the tests over them."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra import sam
from tests.unit.test_generate import NOT_IN_A_COPY, git

SOURCES = ["verify_delete", "verify_send"]


def test_two_workflows_made_in_a_clone_are_green(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(sam.ROOT, clone, ignore=NOT_IN_A_COPY, symlinks=True)
    (clone / ".venv").symlink_to(sam.ROOT / ".venv")
    (clone / ".gitignore").write_text(".venv\n__pycache__\n")
    git(clone, "init")
    for source in SOURCES:
        git(clone, "add", ".")
        git(clone, "commit", "-m", "all")
        run(clone, ["infra.generate", "--name", f"new_{source}", "--from", source])
    made = [f"tests/workflows/test_new_{source}.py" for source in SOURCES]
    template = "tests/unit/test_template.py"
    # The generator has just linted template.yaml, which takes seconds; the translated one it has not.
    run(
        clone,
        ["pytest", "tests/lint/test_cfn_lint.py::test_cfn_lint_finds_nothing_in_what_the_translator_makes"],
        ["pytest", *made, template],
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
    )


def run(clone: Path, *commands: list[str]) -> None:
    """Runs modules at once: what takes seconds here is waiting for other processes."""
    pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = [subprocess.Popen([sys.executable, "-m", *words], cwd=clone, **pipe) for words in commands]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(started), "\n".join(said)
