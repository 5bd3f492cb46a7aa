"""Processors of machine code, by headers as compilers write them."""

from pathlib import Path

import pytest

from infra.artifacts.machine import made_for_another

MACHINES = {"x86_64": b"\x3e\x00", "arm64": b"\xb7\x00"}


def library(path: Path, architecture: str) -> Path:
    """The first bytes of a library: identification (64 bits, little-endian), type, machine."""
    identification = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    path.write_bytes(identification + b"\x03\x00" + MACHINES[architecture] + b"\x01\0\0\0")
    return path


@pytest.mark.parametrize("architecture", MACHINES)
def test_code_for_another_processor_is_found(tmp_path: Path, architecture: str) -> None:
    made = {each: library(tmp_path / f"{each}.so", each) for each in MACHINES}
    assert made_for_another(tmp_path, architecture) == [
        path for each, path in made.items() if each != architecture
    ]


def test_other_files_run_everywhere(tmp_path: Path) -> None:
    (tmp_path / "empty.so").write_bytes(b"")
    (tmp_path / "module.py").write_text("x = 1")
    assert made_for_another(tmp_path, "arm64") == []
