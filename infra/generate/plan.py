"""Plan of a new workflow, made before anything is written."""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infra.generate.errors import Refused
from infra.generate.names import Renaming, camel, carries, refuse_invalid_name
from infra.generate.new_test import NewTest, blank_test, new_tests
from infra.generate.refusals import (
    refuse_existing,
    refuse_public,
    refuse_uncommitted,
    refuse_used_ids,
    refuse_used_words,
)
from infra.generate.section import (
    Carried,
    carried,
    mentions,
    plainest,
    with_blank,
    with_copy,
    workflow_rights,
)
from infra.workflows import workflows

_GREET = Path(__file__).parent / "greet.py"


class Place(NamedTuple):
    """Paths of a workflow's parts outside template.yaml."""

    folder: Path
    event: Path
    test: Path


class Plan(NamedTuple):
    """A new workflow."""

    renaming: Renaming
    place: Place
    code: dict[Path, bytes]
    """Contents by path in the new folder."""
    event: str
    template: str
    tests: list[NewTest]
    """The first one that is green becomes its test."""
    added: list[str]
    """Logical ids that are added to template.yaml."""
    left_alone: Sequence[str] = ()
    """Entries of template.yaml that name the source and stay as they are."""
    to_review: Sequence[str] = ()
    """Rights that only the source has had so far."""


BLANK = "blank"
"""Value of FROM for a workflow that is not a copy."""


def plan(project: Path, name: str, source: str) -> Plan:
    """Plan of a copy of the workflow `source`, or of a blank one.

    Raises:
        Refused: when the workflow cannot be created.
    """
    if source == BLANK:
        return _blank(project, name)
    _refuse_invalid_source(project, name, source)
    old, new = _place(project, source), _place(project, name)
    template = _text(project / "template.yaml")
    ids = carried(template, source, workflows(project))
    renaming = Renaming(source, name, _identifiers(old.folder, ids, source))
    renamed = renaming.renamed
    refuse_used_words(project, {name, *renamed.values()}, old.folder.rglob("*.py"))
    refuse_used_ids(
        project, {renamed[each] for each in ids.resources}, {renamed[each] for each in ids.outputs}
    )
    return Plan(
        renaming=renaming,
        place=new,
        code=dict(_renamed(path, old.folder, renaming) for path in _files(old.folder)),
        event=renaming(_text(old.event)),
        template=with_copy(template, ids, renaming),
        tests=new_tests(old.test, renaming),
        added=[renamed[each] for each in (*ids.resources, *ids.outputs)],
        left_alone=mentions(template, ids, renaming),
        to_review=workflow_rights(template, source),
    )


def _blank(project: Path, name: str) -> Plan:
    """Plan of the workflow in the tutorial, with the rights that every workflow has."""
    _refuse_name(project, name)
    template, code = _text(project / "template.yaml"), _text(_GREET)
    section = Renaming(plainest(template), name, frozenset())
    ids = [camel(name) + suffix for suffix in ("", "Log", "Role")]
    greet = Renaming("greet", name, frozenset({"Greet", "GreetResult"}))
    if name != greet.old:
        refuse_used_words(project, {name, *greet.renamed.values()}, [_GREET])
    refuse_used_ids(project, {*ids}, set())
    return Plan(
        renaming=Renaming(BLANK, name, frozenset()),
        place=_place(project, name),
        code={Path("__init__.py"): b"", Path("handler.py"): greet(code).encode()},
        event='{"trigger": "direct", "parameters": {"name": "Ana"}}\n',
        template=with_blank(template, section),
        tests=[blank_test(name)],
        added=ids,
    )


def _refuse_invalid_source(project: Path, name: str, source: str) -> None:
    sources = workflows(project)
    if source not in sources:
        raise Refused(
            f"There is no workflow {source!r} to copy. "
            f"FROM must be one of {', '.join(sources)}, or {BLANK}."
        )
    refuse_public(source, _place(project, source).folder.rglob("*.py"))
    if not (event := _place(project, source).event).exists():
        raise Refused(f"{source} has no sample event to copy, {event.relative_to(project)}.")
    _refuse_name(project, name)


def _refuse_name(project: Path, name: str) -> None:
    refuse_invalid_name(name)
    if name == BLANK:
        raise Refused(f"NAME cannot be {BLANK}, which FROM uses for an empty workflow.")
    refuse_existing(project, (*_place(project, name), project / "functions/api" / name))
    refuse_uncommitted(project)


def _place(project: Path, name: str) -> Place:
    return Place(
        folder=project / "functions/workflows" / name,
        event=project / f"tests/events/{name}.json",
        test=project / f"tests/workflows/test_{name}.py",
    )


def _identifiers(folder: Path, ids: Carried, source: str) -> frozenset[str]:
    """Logical ids and classes that contain the name."""
    nodes = (
        node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))
    )
    classes = (
        node.name for node in nodes if isinstance(node, ast.ClassDef) and carries(node.name, source)
    )
    return frozenset({camel(source), *ids.resources, *ids.outputs, *classes})


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def _renamed(path: Path, folder: Path, renaming: Renaming) -> tuple[Path, bytes]:
    place, content = path.relative_to(folder), path.read_bytes()
    try:
        return Path(renaming(str(place))), renaming(content.decode()).encode()
    except UnicodeDecodeError:  # such as an image, which has no names in it
        return place, content


def _text(path: Path) -> str:
    """Text of a file with its own line endings, which read_text would change."""
    return path.read_bytes().decode()
