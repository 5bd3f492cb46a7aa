"""openapi.json of the local stack: made of the code, and kept while that is broken."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import sam
from infra.local.kept import Kept
from infra.local.openapi import OpenApi, read_inputs
from infra.logs.text import Tone
from infra.openapi.files import COMMITTED, PLACE, NotMade, begin, made

pytestmark = pytest.mark.slow

HANDLER = "functions/workflows/verify_delete/handler.py"


class Said(list[str]):
    """What the terminal was told."""

    def __call__(self, text: str, tone: Tone = "plain") -> None:
        self.append(f"{tone}: {text}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, which a test may break."""
    for folder in ("functions", "infra"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(sam.ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(sam.TEMPLATE, tmp_path)
    return tmp_path


def test_it_is_made_anew_of_changed_code_and_kept_of_broken_code(
    project: Path, tmp_path: Path
) -> None:
    said, handler = Said(), project / HANDLER
    openapi = OpenApi("http://127.0.0.1:8787", said, Kept(tmp_path / "kept"), project)
    first = json.loads(openapi.files()[PLACE])
    assert first["servers"] == [{"url": "http://127.0.0.1:8787"}]
    assert not openapi.make_again()

    sound = handler.read_text()
    handler.write_text(sound.replace('"""Deletes a verification.', '"""Forgets a verification.'))
    assert openapi.make_again()
    changed = openapi.files()
    summary = json.loads(changed[PLACE])["paths"]["/workflows/verify_delete"]["post"]["summary"]
    assert summary == "Forgets a verification"

    handler.write_text("import nothing_of_that_name\n")
    assert not openapi.make_again()
    assert openapi.files() == changed
    error = "ModuleNotFoundError: No module named 'nothing_of_that_name'"
    assert said == [f"warning: openapi.json stays as it was: {error}"]


def test_code_that_is_broken_at_the_start_has_the_committed_document(tmp_path: Path) -> None:
    openapi = OpenApi("/", Said(), Kept(tmp_path / "kept"), tmp_path)
    assert openapi.files() == {PLACE: COMMITTED.read_bytes()}


def test_a_build_of_broken_code_ends_with_the_error(tmp_path: Path) -> None:
    with pytest.raises(NotMade, match=r"No module named '?infra"):
        made(begin("/", tmp_path))


def test_a_start_finds_the_document_that_an_earlier_one_has_made_of_the_same_code(
    project: Path, tmp_path: Path
) -> None:
    kept = Kept(tmp_path / "kept")
    made_before = OpenApi("http://127.0.0.1:8787", Said(), kept, project).files()
    again = OpenApi("http://127.0.0.1:8787", Said(), kept, project)
    assert again._begun is None
    assert again.files() == made_before
    (project / HANDLER).write_text("import nothing_of_that_name\n")
    broken = OpenApi("http://127.0.0.1:8787", Said(), kept, project)
    assert broken.files() == {PLACE: COMMITTED.read_bytes()}


OPENED = """
import runpy, sys
opened = []
sys.addaudithook(lambda event, about: event == "open" and opened.append(str(about[0])))
sys.argv = ["infra.openapi", "--print-for", "/"]
try:
    runpy.run_module("infra.openapi", run_name="__main__")
except SystemExit as ended:
    assert not ended.code
print("\\n".join(opened), file=sys.stderr)
"""


def test_all_that_is_read_to_make_it_decides_whether_a_kept_one_is_found(project: Path) -> None:
    shutil.copytree(sam.ROOT / "tests/events", project / "tests/events")
    done = subprocess.run(
        [sys.executable, "-B", "-c", OPENED],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [project / line for line in done.stderr.splitlines()]
    opened = {
        path.relative_to(project).as_posix()
        for path in paths
        if path.is_relative_to(project) and "__pycache__" not in path.parts
    }
    assert "tests/events/verify_send.json" in opened
    assert opened - {*read_inputs(project)} == set()


def test_a_document_of_another_address_is_made_anew(project: Path, tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    for url in ("http://127.0.0.1:8787", "http://127.0.0.1:9000"):
        document = json.loads(OpenApi(url, Said(), kept, project).files()[PLACE])
        assert document["servers"] == [{"url": url}]
