"""Processor that machine code is made for, from its header (ELF, `e_machine`)."""

from pathlib import Path

_ELF = b"\x7fELF"
_MACHINES = {"x86_64": 62, "arm64": 183}
"""Numbers of ELF (EM_X86_64, EM_AARCH64), by Lambda's names of its architectures."""


def made_for_another(folder: Path, architecture: str) -> list[Path]:
    """Files of machine code that do not run on a processor.

    Args:
        folder: of an artifact.
        architecture: Lambda's name of the processor.
    """
    code = [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_elf(path)]
    return [path for path in code if _machine(path) != _MACHINES[architecture]]


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF


def _machine(path: Path) -> int:
    """Bytes 18 and 19, lower one first; both processors are little-endian."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(20)[18:], "little")
