"""docs/explanation/security.md names the test that proves each rule; each must exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from infra import sam

TESTS = sam.ROOT / "tests"
NAMED = re.findall(
    r"`((?:\w+/)?(?:test_\w+|conftest)\.py|…)(?:::(\w+))?`",
    (sam.ROOT / "docs/explanation/security.md").read_text(),
)


def test_the_document_names_tests() -> None:
    assert len(NAMED) > 40


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_a_test_that_the_document_names_is_there(path: str, name: str) -> None:
    files = files_of_tests() if path == "…" else [TESTS / path]
    missing = [file for file in files if not file.is_file()]
    assert missing == []
    assert not name or any(name in functions_in(file) for file in files)


@cache
def files_of_tests() -> list[Path]:
    return sorted(TESTS.rglob("test_*.py"))


@cache
def functions_in(file: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    }
