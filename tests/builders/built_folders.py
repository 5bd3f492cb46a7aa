"""Folders as `sam build` makes them, from the packages of this environment."""

import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

from infra import sam


def built_folder(folder: Path, *, without: tuple[str, ...] = ()) -> Path:
    """Puts the project and each package of requirements.txt in a folder.

    `without`: parts of packages that are left out, such as `botocore/data`.
    """
    shutil.copytree(
        sam.ROOT / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__")
    )
    pins = re.findall(r"^([\w.-]+)==", (sam.ROOT / "requirements.txt").read_text(), re.MULTILINE)
    for pin in pins:
        for file in distribution(pin).files or ():
            # Commands stand outside of the folder, `../../bin/…`.
            if ".." in file.parts or file.suffix == ".pyc" or str(file).startswith(without):
                continue
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), folder / file)
    return folder
