"""What a workflow's section of template.yaml gives its function: rights and variables, as text.

Some rights are the platform's: for its log, its runs and its idempotency keys. They are aliases of
shared policies, but for the log. All others are the workflow's own, and a copy may not need them.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Literal, NamedTuple

_SERVICE_NAME = "POWERTOOLS_SERVICE_NAME"
_LOG = re.compile(r"Log\.Arn\b")
_SHARED = ("- *runs_in_background", "- *keeps_answers")
"""Policies that every workflow has that can run in the background."""

_EVERYONES = "Every workflow has these rights: for its log here, for its runs and answers below."
_ADD = "Add here what only this one does: one action, on one resource."

Lines = list[str]
Kind = Literal["variable", "statement", "other"]

_REGIONS: dict[str, tuple[Kind, int]] = {
    "        Variables:": ("variable", 10),
    "            Statement:": ("statement", 14),
}
"""Lines after which variables and statements come, and how far these are indented."""


class Block(NamedTuple):
    """Lines of a section: one variable, one statement of the role's policy, or others."""

    kind: Kind
    lines: Lines

    @property
    def is_own(self) -> bool:
        """Whether it is the workflow's own and not every workflow's."""
        text = "".join(self.lines)
        if self.kind == "variable":
            return _SERVICE_NAME not in text
        return self.kind == "statement" and not _LOG.search(text)


def own_rights(section: Lines) -> list[str]:
    """Such as `dynamodb:UpdateItem on Limits`."""
    return [
        _told("".join(block.lines))
        for block in _blocks(section)
        if block.kind == "statement" and block.is_own
    ]


def has_platform_rights(section: Lines) -> bool:
    """Whether the workflow may do all that the platform does for a workflow."""
    lines = {line.strip() for line in section}
    return lines.issuperset(_SHARED)


def without_own(section: Lines) -> Lines:
    """The section with the platform's rights alone, and only the variable of the service's name."""
    blocks = list(_blocks(section))
    first = next((block for block in blocks if block.kind == "statement"), None)
    made: Lines = []
    for block in blocks:
        if block is first:
            made += _comment(block, _EVERYONES)
            made += _comment(block, _ADD)
        made += [] if block.is_own else block.lines
    return made


def to_review(section: Lines, source: str) -> Lines:
    """The section with a comment at what a copy has of its source: each right, and the variables."""
    right = f"Review: copied from {source}. Delete it unless the code needs this right."
    others = f"Review: copied from {source}. Delete those that the code does not read."
    made: Lines = []
    for block in _blocks(section):
        if block.is_own and block.kind == "statement":
            above = sum(1 for _ in takewhile(_is_comment, block.lines))
            made += [*block.lines[:above], *_comment(block, right), *block.lines[above:]]
        elif block.is_own:
            made += [*(_comment(block, others) if others else []), *block.lines]
            others = ""
        else:
            made += block.lines
    return made


def described(section: Lines, sentence: str) -> Lines:
    """The section with another description of its function."""
    return re.sub(
        r"(?m)^(      Description: )[^\r\n]*(?:\r?\n {8,}[^\r\n]*)*",
        rf"\g<1>{sentence}",
        "".join(section),
    ).splitlines(keepends=True)


def _blocks(section: Lines) -> Iterator[Block]:
    """All lines, in their order; comments go with what they stand above."""
    kind: Kind = "other"
    depth, block = 0, Block("other", [])
    for line in section:
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip() or indent < depth:
            kind, depth = "other", 0
        above = all(map(_is_comment, block.lines))
        if block.kind != kind or (kind != "other" and indent == depth and not above):
            yield block
            block = Block(kind, [])
        block.lines.append(line)
        kind, depth = _REGIONS.get(line.rstrip("\r\n"), (kind, depth))
    yield block


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _comment(block: Block, text: str) -> Lines:
    """A line of its own, as far in as the block."""
    first = block.lines[0]
    indent, end = first[: len(first) - len(first.lstrip(" "))], first[len(first.rstrip("\r\n")) :]
    return [f"{indent}# {text}{end}"]


def _told(statement: str) -> str:
    actions = re.search(r"Action: (\[[^\]]*\]|[^\s,}]+)", statement)
    resources = re.findall(
        r"(?:!GetAtt |!Ref |\$\{|\*)(?!AWS::)(\w+)", statement.partition("Resource:")[2]
    )
    told = actions[1].strip("[]") if actions else "a statement without an action"
    told = " ".join(told.split())
    return f"{told} on {', '.join(dict.fromkeys(resources))}" if resources else told
