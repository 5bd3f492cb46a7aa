"""The built template, which `make build` fits to what it built."""

from pathlib import Path
from typing import Any

import pytest

from infra import build, sam
from infra.alias import has_alias


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "template.yaml"
    file.write_text(sam.dump(sam.read_template()))
    monkeypatch.setattr(build, "_TEMPLATE", file)
    return file


def finished(built: Path, architecture: str, *, alias: bool) -> dict[str, Any]:
    build._finish_template(architecture, alias=alias)
    return sam.read_template(built)


def test_the_processor_is_that_of_the_code_whatever_the_stack_has(built: Path) -> None:
    template = finished(built, "arm64", alias=False)
    assert template["Globals"]["Function"]["Architectures"] == ["arm64"]


@pytest.mark.parametrize(
    ("alias", "named"), [(False, set()), (True, {"Authorize", "VerifySend", "VerifyCheck"})]
)
def test_functions_have_an_alias_where_it_is_asked_for(
    built: Path, named: set[str], *, alias: bool
) -> None:
    resources = finished(built, "x86_64", alias=alias)["Resources"]
    assert {name for name, each in resources.items() if has_alias(each)} == named


def test_nothing_else_changes(built: Path) -> None:
    template, source = finished(built, "x86_64", alias=False), sam.read_template()
    source["Globals"]["Function"]["Architectures"] = ["x86_64"]
    assert template == source
