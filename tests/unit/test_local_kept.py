"""Results that a start of the local stack keeps for the next one."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from infra.local.kept import Kept
from infra.local.translation import Translation

SOURCES = [b"one", b"two"]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "result")


def test_a_result_is_found_by_another_start_and_is_the_users_alone(
    kept: Kept, tmp_path: Path
) -> None:
    assert kept.find(SOURCES) is None
    kept.keep(SOURCES, b"result")
    assert Kept(tmp_path / "result").find(SOURCES) == b"result"
    assert (tmp_path / "result").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("changed", [[b"one"], [b"one", b"2"], [b"onetwo"], [b"two", b"one"], []])
def test_a_result_of_other_sources_is_not_found(changed: list[bytes], kept: Kept) -> None:
    kept.keep(SOURCES, b"result")
    assert kept.find(changed) is None


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_file_that_was_cut_is_no_result(content: bytes, kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "result").write_bytes(content)
    assert kept.find(SOURCES) is None


@pytest.mark.parametrize("damage", [lambda file: file[:-1], lambda file: file[:-1] + b"?"])
def test_a_damaged_result_is_not_found(
    damage: Callable[[bytes], bytes], kept: Kept, tmp_path: Path
) -> None:
    kept.keep(SOURCES, b"result")
    file = tmp_path / "result"
    file.write_bytes(damage(file.read_bytes()))
    assert kept.find(SOURCES) is None


def test_a_file_that_cannot_be_read_or_written_is_no_result_and_no_error(
    kept: Kept, tmp_path: Path
) -> None:
    (tmp_path / "result").mkdir()
    kept.keep(SOURCES, b"result")
    assert kept.find(SOURCES) is None


class Translator:
    """Translates into what it was given, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(
        self, template: dict[str, Any], parameters: dict[str, str], code_uri: str
    ) -> dict[str, Any]:
        self.count += 1
        template["changed"] = "as the real one does it"
        return {"Resources": [template, parameters, code_uri]}


def test_a_template_is_translated_once_and_anew_for_other_code_parameters_or_sections(
    tmp_path: Path,
) -> None:
    translate = Translator()
    asked: list[tuple[dict[str, Any], dict[str, str], str]] = [
        ({"a": 1}, {"Stage": "local"}, "s3://code"),
        ({"a": 2}, {"Stage": "local"}, "s3://code"),
        ({"a": 2}, {"Stage": "test"}, "s3://code"),
        ({"a": 2}, {"Stage": "test"}, "s3://other"),
    ]
    for number, (template, parameters, code_uri) in enumerate(asked, start=1):
        first = Translation(tmp_path, translate)(dict(template), parameters, code_uri)
        second = Translation(tmp_path, translate)(dict(template), parameters, code_uri)
        assert first == second
        assert translate.count == number


def test_a_template_whose_kept_file_was_cut_is_translated_anew(tmp_path: Path) -> None:
    translate = Translator()
    asked: tuple[dict[str, Any], dict[str, str], str] = ({"a": 1}, {}, "s3://code")
    first = Translation(tmp_path, translate)(*deepcopy(asked))
    file = tmp_path / "translated"
    file.write_bytes(file.read_bytes()[:-10])
    assert Translation(tmp_path, translate)(*deepcopy(asked)) == first
    assert translate.count == 2
