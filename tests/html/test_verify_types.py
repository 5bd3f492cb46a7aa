"""The types of verify.js, checked by TypeScript's compiler. `make lint-web` installs it."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra import sam
from tests.html.installed import MODULES, NODE

HERE = sam.ROOT / "tests/html"
MODULE = sam.ROOT / "functions/api/documents/verify.js"
OPTIONS = {
    "target": "es2024",
    "module": "esnext",
    "moduleResolution": "bundler",
    "lib": ["es2024", "dom", "dom.iterable"],
    "types": [],
    "strict": True,
    "noEmit": True,
}
INFERRED = {"allowJs": True, "checkJs": True, "noImplicitAny": False, "strictNullChecks": False}
"""Options for code whose types are mostly inferred."""


def compile_with(folder: Path, options: Mapping[str, object], *files: str) -> str:
    """The compiler's complaints about files beside the module's types."""
    assert MODULES.exists(), "TypeScript is not installed: make lint-web does it."
    shutil.copy(MODULE.with_suffix(".d.ts"), folder)
    config = {"compilerOptions": {**OPTIONS, **options}, "files": files}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    command: list[Path | str] = [NODE, MODULES / "typescript/bin/tsc", "--project", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def differences(folder: Path, code: str) -> str:
    """Complaints about code that should have the types of verify.d.ts."""
    (folder / "written.js").write_text(code)
    shutil.copy(HERE / "same.ts", folder)
    return compile_with(folder, INFERRED, "same.ts", "written.js", "verify.d.ts")


def test_the_module_has_the_types_that_it_declares(tmp_path: Path) -> None:
    assert differences(tmp_path, MODULE.read_text()) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("export function suggestEmail", "function suggestEmail"),
        (
            "export function suggestEmail",
            "export function other() {}\nexport function suggestEmail",
        ),
        ("this.retryAfter =", "this.retry ="),
        ("async check({", "async verify({"),
        ('    code: "Code",\n', ""),
    ],
)
def test_a_difference_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    code = MODULE.read_text()
    assert right in code
    assert "error TS" in differences(tmp_path, code.replace(right, wrong))


def test_a_page_in_typescript_compiles(tmp_path: Path) -> None:
    shutil.copy(HERE / "page.ts", tmp_path)
    assert compile_with(tmp_path, {}, "page.ts") == ""
