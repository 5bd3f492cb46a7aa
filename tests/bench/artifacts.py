"""What is deployed of each subject: folders with code, packages and bytecode.

The product's are in .aws-sam/build, where `make build` makes them. Those of floors and peers are in
.venv-bench, each with the packages that it imports and what those pull in.
"""

import filecmp
import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from functions.core.messages.rendering.render import COMPILED
from infra import sam
from infra.build import BUILD

FOLDER = sam.ROOT / ".venv-bench"

_HERE = Path(__file__).parent
_PINS = (_HERE / "requirements.txt", sam.ROOT / "requirements.txt")
_CODE = ("peers", "floors")
_DONE = "installed"
PACKAGES: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "botocore": ("botocore",),
    "boto3": ("boto3",),
    "chalice": ("boto3",),
    "powertools": ("aws-lambda-powertools", "boto3", "msgspec", "pynamodb"),
    "fastapi": ("boto3", "fastapi", "mangum"),
}
"""Packages by folder."""
_ALONE = {"chalice": ("chalice",)}
"""Packages without what they pull in: Chalice's own deployments leave its command out, too."""


class NotInstalled(Exception):
    """An artifact is missing; the message says what to do."""


def built(name: str) -> Path:
    """Folder of a built function. Raises `NotInstalled`."""
    folder = BUILD / name
    if not folder.is_dir():
        raise NotInstalled(f"There is no .aws-sam/build/{name}: run make build first.")
    return folder.resolve()


def changed_since_build(folder: Path) -> list[str]:
    """Python files of the project that differ from those of a built function."""
    names = (path.relative_to(folder) for path in sorted(folder.glob("functions/**/*.py")))
    # Compiled templates have no source in Python.
    pairs = [name for name in names if (sam.ROOT / name).parent.name != COMPILED.name]
    return [str(name) for name in pairs if not _same(folder / name, sam.ROOT / name)]


def installed(name: str, python: str) -> Path:
    """Folder of a floor's or a peer's packages, with the code of all of them.

    Raises:
        NotInstalled: the package index did not answer.
    """
    folder = FOLDER / name
    mark, wanted = folder / _DONE, _fingerprint(name)
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _install(folder, python, PACKAGES[name])
        _install(folder, python, _ALONE.get(name, ()), "--no-deps")
        _compile(folder, python)
        mark.write_text(wanted)
    for code in _CODE:
        shutil.rmtree(folder / code, ignore_errors=True)
        shutil.copytree(_HERE / code, folder / code, ignore=shutil.ignore_patterns("__pycache__"))
        _compile(folder / code, python)
    return folder.resolve()


def zip_bytes(folder: Path) -> int:
    """Size of the zip that a deployment would upload."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return made.tell()


def _install(folder: Path, python: str, packages: Sequence[str], *options: str) -> None:
    if not packages:
        return
    print(f"installing {', '.join(packages)}", flush=True)
    uv = str(Path(sys.executable).with_name("uv"))
    pins = [part for each in _PINS for part in ("--constraint", str(each))]
    target = ["--quiet", "--python", python, "--target", str(folder), *pins, *options]
    if subprocess.run([uv, "pip", "install", *target, *packages], check=False).returncode:
        raise NotInstalled("The packages of the floors and peers cannot be installed; see above.")


def _compile(folder: Path, python: str) -> None:
    """Compiles as `make build` does: unchecked, so that no import looks at the source."""
    options = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([python, "-m", "compileall", *options, str(folder)], check=True)


def _fingerprint(name: str) -> str:
    """Changes whenever the packages of a folder do."""
    texts = [*(each.read_text() for each in _PINS), *PACKAGES[name], *_ALONE.get(name, ())]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _same(one: Path, other: Path) -> bool:
    return other.exists() and filecmp.cmp(one, other, shallow=False)
