"""Reasons to refuse a new workflow, checked before anything is written."""

import io
import os
import subprocess
import tokenize
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra import sam
from infra.generate.errors import Refused


def refuse_existing(project: Path, paths: Iterable[Path]) -> None:
    """Raises `Refused` for an existing path, as nothing is overwritten."""
    for path in paths:
        if path.exists():
            raise Refused(f"{path.relative_to(project)} is there already. Choose another NAME.")


def refuse_public(source: str, code: Iterable[Path]) -> None:
    """Raises `Refused` for a public source; its copy would be open to everybody too."""
    if any("public=True" in path.read_text() for path in code):
        raise Refused(
            f"{source} may be called by anybody, and so might a copy of it. Copy another workflow."
        )


def refuse_uncommitted(project: Path) -> None:
    """Raises `Refused` for an edited template.yaml, so that git can show and undo the addition."""
    command = ["git", "status", "--porcelain", "--", "template.yaml"]
    environment = os.environ | {"LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=project, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return
    if done.stdout.strip():
        raise Refused(
            "template.yaml has changes that are not committed. Commit or stash them, and try again."
        )
    if done.returncode and "not a git repository" not in done.stderr:
        raise Refused(f"git cannot say whether template.yaml has changes: {done.stderr.strip()}")


def refuse_used_words(project: Path, names: set[str], code: Iterable[Path]) -> None:
    """Raises `Refused` for a name that the code uses; it would mean two things in the copy."""
    for path in code:
        words = {
            token.string
            for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
        }
        if used := names & words:
            place = path.relative_to(project) if path.is_relative_to(project) else path.name
            raise Refused(f"{place} uses the name {min(used)} already. Choose another NAME.")


def refuse_used_ids(project: Path, resources: set[str], outputs: set[str]) -> None:
    """Raises `Refused` for a logical id in use, also by resources that the translator adds."""
    template = translated(project)
    used = resources & {*template["Parameters"], *template["Resources"]} | outputs & {
        *template.get("Outputs", {})
    }
    if used:
        raise Refused(f"template.yaml has a {min(used)} already. Choose another NAME.")


def translated(project: Path) -> dict[str, Any]:
    """The project's template.yaml as CloudFormation. Raises `Refused` if it is invalid."""
    try:
        template = sam.read_template(project / "template.yaml")
        unset = {
            name: "unset"
            for name, about in template["Parameters"].items()
            if "Default" not in about
        }
        return sam.translate(template, unset, "s3://bucket/key")
    except sam.TemplateError as error:
        raise Refused(" ".join(str(error).split())) from error
