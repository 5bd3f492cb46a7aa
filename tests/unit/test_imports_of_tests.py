"""Imports of tests: builders, fakes and conftests, but never another test module."""

import ast
from collections.abc import Iterator

import pytest

from infra import sam

TESTS = sam.ROOT / "tests"
TEXTS = {
    path.relative_to(sam.ROOT).as_posix(): path.read_text() for path in sorted(TESTS.rglob("*.py"))
}


def imported(code: str) -> Iterator[tuple[str, str]]:
    """Full name and line of each import, including those inside functions."""
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from ((each.name, lines[node.lineno - 1]) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{each.name}" for each in node.names)
            yield from ((name, lines[node.lineno - 1]) for name in names)


def other_tests(code: str) -> list[str]:
    """Imports of modules whose tests pytest would collect."""
    return [
        name
        for name, _ in imported(code)
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))
    ]


@pytest.mark.parametrize(
    "code",
    [
        "from tests.unit.test_template import translated",
        "from tests.unit import test_template",
        "def f():\n    import tests.unit.test_template",
    ],
)
def test_an_import_of_a_test_module_is_seen(code: str) -> None:
    assert other_tests(code) != []


def test_no_module_imports_a_test_module() -> None:
    """A builder that two modules need belongs to tests/builders."""
    assert "tests/builders/http.py" in TEXTS
    found = {place: other_tests(text) for place, text in TEXTS.items()}
    assert {place: names for place, names in found.items() if names} == {}


def test_end_to_end_tests_run_nothing_of_functions_in_their_process() -> None:
    """End-to-end tests speak HTTP.

    A line that imports functions/ says why there is no other way.
    """
    silent = {
        place: [
            name
            for name, line in imported(text)
            if name.startswith("functions") and " # " not in line
        ]
        for place, text in TEXTS.items()
        if place.startswith("tests/e2e/")
    }
    assert {place: names for place, names in silent.items() if names} == {}
