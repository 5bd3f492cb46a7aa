"""Copies a workflow's section of template.yaml as text, so that all other bytes stay."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from infra.generate import rights
from infra.generate.anchors import with_aliases
from infra.generate.errors import Refused
from infra.generate.names import Renaming, camel, carries
from infra.generate.rights import Lines

_HEADS = ("  # --- ", "  # === ")
_WORKFLOW = "  # --- workflow "
_YOURS = "  # === Workflows: your own "

Edit = Callable[[Lines], Lines]
"""Edit of a renamed entry."""


class Carried(NamedTuple):
    """Logical ids that contain a workflow's name, in the template's order."""

    resources: list[str]
    """Resources of its section; those under other names are shared by source and copy."""
    outputs: list[str]


def carried(template: str, workflow: str, workflows: list[str]) -> Carried:
    """Logical ids that a copy of the workflow needs under its own name.

    Raises:
        Refused: when the template lacks the workflow's section, or the section its function.
    """
    lines = template.splitlines(keepends=True)
    resources = [
        key for key, _ in _entries(lines[_section(lines, workflow)]) if carries(key, workflow)
    ]
    if camel(workflow) not in resources:
        raise Refused(
            f"The section of {workflow} in template.yaml does not make {camel(workflow)}."
        )
    outputs = [
        key for key, _ in _entries(lines[_outputs(lines)]) if _owner(key, workflows) == workflow
    ]
    return Carried(resources, outputs)


def with_copy(template: str, source: Carried, renaming: Renaming) -> str:
    """The template with a copy of the section after the last one, and of each output."""
    old, new = renaming.old, renaming.new
    return _with_section(
        template,
        source,
        renaming,
        lambda entry: rights.described(
            rights.to_review(entry, old), f"The workflow {new}, made from {old}."
        ),
    )


def with_blank(template: str, renaming: Renaming) -> str:
    """The template with another section like that of `renaming.old`, without its own rights."""
    resources = carried(template, renaming.old, [renaming.old]).resources
    return _with_section(
        template,
        Carried(resources, []),
        renaming._replace(identifiers=frozenset(resources)),
        lambda entry: rights.described(rights.without_own(entry), f"The workflow {renaming.new}."),
    )


def plainest(template: str) -> str:
    """The workflow with the shortest section that has all of the platform's rights."""
    lines = template.splitlines(keepends=True)
    sections = {name: with_aliases(lines[where]) for name, where in _sections(lines).items()}
    fit = {
        name: len(section)
        for name, section in sections.items()
        if rights.has_platform_rights(section)
    }
    if not fit:
        raise Refused(
            "No workflow in template.yaml runs in the background. "
            "Copy one of them instead: FROM=<workflow>."
        )
    return min(fit, key=lambda name: fit[name])


def workflow_rights(template: str, workflow: str) -> list[str]:
    """Rights of this workflow's function alone, such as `dynamodb:UpdateItem on Limits`."""
    lines = template.splitlines(keepends=True)
    return rights.own_rights(with_aliases(lines[_section(lines, workflow)]))


def mentions(template: str, source: Carried, renaming: Renaming) -> list[str]:
    """Entries outside the section that name the workflow, and so do nothing for its copy."""
    lines = template.splitlines(keepends=True)
    where = _section(lines, renaming.old)
    elsewhere = _entries([*lines[: where.start], *lines[where.stop :]])
    return [
        key
        for key, text in elsewhere
        if key and renaming(text) != text and key not in source.outputs
    ]


def _with_section(template: str, source: Carried, renaming: Renaming, edit: Edit) -> str:
    lines = template.splitlines(keepends=True)
    section = with_aliases(lines[_section(lines, renaming.old)])
    end, outputs = _end(lines), _outputs(lines)
    return "".join(
        [
            *lines[:end],
            *_copied_section(section, source, renaming, edit),
            *lines[end : outputs.start],
            *_copied_outputs(lines[outputs], source, renaming),
            *lines[outputs.stop :],
        ]
    )


def _copied_section(
    section: Lines, source: Carried, renaming: Renaming, edit: Edit
) -> Iterator[str]:
    head = section[0].rstrip("\r\n")
    yield f"{_WORKFLOW}{renaming.new} ".ljust(len(head), "-") + section[0][len(head) :]
    for key, text in _entries(section[1:]):
        if not key or key in source.resources:
            yield from edit(renaming(text).splitlines(keepends=True))


def _copied_outputs(lines: Lines, source: Carried, renaming: Renaming) -> Iterator[str]:
    for key, text in _entries(lines):
        yield text
        if key in source.outputs:
            yield renaming(text)


def _section(lines: Lines, workflow: str) -> slice:
    section = _sections(lines).get(workflow)
    if section is None:
        raise Refused(
            f"template.yaml has no section that begins with `# --- workflow {workflow} ---`."
        )
    return section


def _sections(lines: Lines) -> dict[str, slice]:
    """Lines by workflow, from its section's heading to the next one or the end of Resources."""
    return {
        lines[part.start].removeprefix(_WORKFLOW).split()[0]: part
        for part in _parts(lines)
        if lines[part.start].startswith(_WORKFLOW)
    }


def _end(lines: Lines) -> int:
    """Line before which a new section goes."""
    heads = (_WORKFLOW, _YOURS)
    return max(int(part.stop) for part in _parts(lines) if lines[part.start].startswith(heads))


def _parts(lines: Lines) -> Iterator[slice]:
    """From each heading, and each key of the template, to the next one."""
    ends = [i for i, line in enumerate(lines) if line.startswith(_HEADS) or line[0].isalpha()]
    return (slice(start, end) for start, end in pairwise([*ends, len(lines)]))


def _outputs(lines: Lines) -> slice:
    starts = [i for i, line in enumerate(lines) if line[0].isalpha()] + [len(lines)]
    start = next((i for i in starts[:-1] if lines[i].startswith("Outputs:")), len(lines))
    return slice(start, next((i for i in starts if i > start), len(lines)))


def _entries(lines: Lines) -> Iterator[tuple[str, str]]:
    """Entries (`  Key:` with the comments above and the lines below); others have the key ""."""
    key, entry, above = "", "", ""
    for line in lines:
        if match := re.match(r"  (\w+):", line):
            yield key, entry
            key, entry, above = match[1], above + line, ""
        elif re.match(r"(  )?#|\s*$", line):
            above += line
        else:
            entry, above = entry + above + line, ""
    yield key, entry
    yield "", above


def _owner(identifier: str, workflows: list[str]) -> str:
    """The workflow with the longest name in an identifier: SendReceiptUrl is send_receipt's."""
    return max((each for each in workflows if carries(identifier, each)), key=len, default="")
