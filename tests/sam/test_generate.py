"""`make workflow`, whole: two workflows made in a clone, then linted, formatted and tested."""

import shutil
from pathlib import Path

from infra import sam
from tests.builders.project_copies import NOT_IN_A_COPY, git, run

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
    # The generator has just linted template.yaml, which takes seconds, but not its translation.
    run(
        clone,
        [
            "pytest",
            "tests/lint/test_cfn_lint.py::test_cfn_lint_finds_nothing_in_what_the_translator_makes",
        ],
        ["pytest", *made, template],
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
    )
