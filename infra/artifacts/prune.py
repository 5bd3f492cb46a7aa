"""Files of an artifact: code that is reached, and what lies beside it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from infra.artifacts.aws_calls import AwsCalls
from infra.artifacts.aws_data import cut_data
from infra.artifacts.reach import PROJECT, Reach, of
from infra.artifacts.tree import name_of

_UNUSED = {".c", ".h", ".md", ".pxd", ".pxi", ".pyi", ".pyx", ".typed"}
"""Suffixes of files for compilers and type checkers."""
_NEVER = {
    f"{PROJECT}/requirements.txt",  # it is installed
    "botocore/cacert.pem",  # certifi's is used
}
_ASKED_FOR = {"importlib.metadata", "pkg_resources"}


def prune(folder: Path, reach: Reach, calls: AwsCalls) -> frozenset[str]:
    """Deletes all files that nothing reached needs; returns the modules that went."""
    kept = set(_code(reach)) | set(_data(reach)) | set(_metadata(reach))
    gone = set()
    for path in [path for path in folder.rglob("*") if not path.is_dir()]:
        place = path.relative_to(folder)
        if path not in kept or place.as_posix() in _NEVER:
            gone.add(name_of(place))
            path.unlink()
    if "botocore" in reach.modules:
        cut_data(folder / "botocore/data", calls)
    if not calls.any_service:  # only an author's own code makes boto3's resources
        shutil.rmtree(folder / "boto3/data", ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return frozenset(gone - reach.modules.keys())


def _code(reach: Reach) -> Iterator[Path]:
    yield from (reach.file(module) for module in reach.modules)


def _data(reach: Reach) -> Iterator[Path]:
    """Files beside reached modules, and in folders below that hold no code."""
    packages = {_folder(reach.file(module)) for module in reach.modules} - set(reach.tree.roots)
    for path in packages:
        for root, folders, files in os.walk(path):
            here = Path(root)
            if here != path and any(name.endswith((".py", ".so")) for name in files):
                folders.clear()
                continue
            yield from (
                here / name
                for name in files
                if Path(name).suffix not in {".py", ".pyc", ".so", *_UNUSED}
            )


def _folder(file: Path) -> Path:
    return file if file.is_dir() else file.parent


def _metadata(reach: Reach) -> Iterator[Path]:
    """Metadata of packages that ask for their own, and libraries of machine code."""
    asking = {module for module, names in reach.modules.items() if names & _ASKED_FOR}
    ours = any(of(module, PROJECT) for module in asking)
    for each in reach.tree.distributions:
        reached = each.modules & reach.modules.keys()
        if reached and (ours or reached & asking):
            yield from (each.metadata, each.entry_points)
        if reached:
            yield from (file for file in each.files if file.parent.suffix == ".libs")
