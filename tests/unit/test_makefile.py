"""The Makefile's own rules: its help, and the index from which packages come."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import sam

INDEX = "https://pypi.example.com/simple"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the Makefile beside a virtual environment whose uv prints its arguments."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "samconfig.toml"):
        shutil.copy(sam.ROOT / name, tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / ".venv/bin/uv").write_text(
        '#!/bin/sh\necho "index=$UV_DEFAULT_INDEX certs=$UV_SYSTEM_CERTS"\n'
    )
    for program in (tmp_path / ".venv/bin").iterdir():
        program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "index"),
    [
        ({"PIP_INDEX_URL": INDEX}, INDEX),
        ({"PIP_CONFIG_FILE": "pip.conf"}, INDEX),
        (
            {"PIP_CONFIG_FILE": "pip.conf", "UV_DEFAULT_INDEX": "https://uv.example.com"},
            "https://uv.example.com",
        ),
        ({"PIP_CONFIG_FILE": os.devnull}, ""),
    ],
)
def test_packages_come_from_pips_index_over_the_systems_certificates(
    settings: dict[str, str], index: str, project: Path
) -> None:
    (project / "pip.conf").write_text(f"[global]\nindex-url = {INDEX}\n")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))
    }
    done = subprocess.run(
        ["make", ".venv/run"],
        cwd=project,
        env=kept | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"index={index} certs=1\n" in done.stdout, done.stderr


def test_help_shows_each_target_with_its_usage_below() -> None:
    help_text = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=sam.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "\n  lint            checks style, types and template.yaml\n" in help_text
    assert (
        "\n  revoke          revokes a token\n"
        "                    make revoke ID=<token id> [ENV=prod]\n"
    ) in help_text
