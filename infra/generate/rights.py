"""Rights and variables in a workflow's section of template.yaml, edited as text.

Every workflow has the platform's rights, for its log, its runs and its idempotency keys: shared
policies, but for the log. All others are the workflow's own, and a copy may not need them.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Literal, NamedTuple

_SERVICE_NAME = "POWERTOOLS_SERVICE_NAME"
_LOG = re.compile(r"Log\.Arn\b")
_SHARED = ("- *runs_in_background", "- *keeps_answers")
"""Policies of every workflow that can run in the background."""

_EVERYONES = "Every workflow has these rights: for its log here, for its runs and answers below."
_ADD = "Add here what only this one does: one action, on one resource."

Lines = list[str]
Kind = Literal["variable", "statement", "other"]

_REGIONS: dict[str, tuple[Kind, int]] = {
    "        Variables:": ("variable", 10),
    "            Statement:": ("statement", 14),
}
"""Lines before variables and statements, with the kind and the indentation of these."""


class Block(NamedTuple):
    """Lines of a section: a variable, a statement of the role's policy, or others."""

    kind: Kind
    lines: Lines

    @property
    def is_own(self) -> bool:
        """True if not every workflow has it."""
        text = "".join(self.lines)
        if self.kind == "variable":
            return _SERVICE_NAME not in text
        return self.kind == "statement" and not _LOG.search(text)


def own_rights(section: Lines) -> list[str]:
    """The workflow's own rights, such as `dynamodb:UpdateItem on Limits`."""
    return [
        _description("".join(block.lines))
        for block in _blocks(section)
        if block.kind == "statement" and block.is_own
    ]


def has_platform_rights(section: Lines) -> bool:
    """True if the section has all of the platform's rights."""
    lines = {line.strip() for line in section}
    return lines.issuperset(_SHARED)


def without_own(section: Lines) -> Lines:
    """The section with only the platform's rights and the service's name."""
    blocks = list(_blocks(section))
    first = next((block for block in blocks if block.kind == "statement"), None)
    result: Lines = []
    for block in blocks:
        if block is first:
            result += _comment(block, _EVERYONES)
            result += _comment(block, _ADD)
        result += [] if block.is_own else [each for each in block.lines if not _is_ours(each)]
    return result


def to_review(section: Lines, source: str) -> Lines:
    """The section with a review comment at copied rights and variables."""
    right = f"Review: copied from {source}. Delete it unless the code needs this right."
    others = f"Review: copied from {source}. Delete those that the code does not read."
    result: Lines = []
    for block in _blocks(section):
        if block.is_own and block.kind == "statement":
            above = sum(1 for _ in takewhile(_is_comment, block.lines))
            result += [*block.lines[:above], *_comment(block, right), *block.lines[above:]]
        elif block.is_own:
            result += [*(_comment(block, others) if others else []), *block.lines]
            others = ""
        else:
            result += block.lines
    return result


def described(section: Lines, sentence: str) -> Lines:
    """The section with another description of its function."""
    return re.sub(
        r"(?m)^(      Description: )[^\r\n]*(?:\r?\n {8,}[^\r\n]*)*",
        rf"\g<1>{sentence}",
        "".join(section),
    ).splitlines(keepends=True)


def _blocks(section: Lines) -> Iterator[Block]:
    """All lines in order; a comment belongs to the block below it."""
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


def _is_ours(line: str) -> bool:
    """True for a comment that an earlier workflow got from here."""
    return _is_comment(line) and line.strip().lstrip("# ") in {_EVERYONES, _ADD}


def _comment(block: Block, text: str) -> Lines:
    """Comment line with the indentation of a block."""
    first = block.lines[0]
    indent, end = first[: len(first) - len(first.lstrip(" "))], first[len(first.rstrip("\r\n")) :]
    return [f"{indent}# {text}{end}"]


def _description(statement: str) -> str:
    actions = re.search(r"Action: (\[[^\]]*\]|[^\s,}]+)", statement)
    resources = re.findall(
        r"(?:!GetAtt |!Ref |\$\{|\*)(?!AWS::)(\w+)", statement.partition("Resource:")[2]
    )
    actions_text = actions[1].strip("[]") if actions else "a statement without an action"
    actions_text = " ".join(actions_text.split())
    return f"{actions_text} on {', '.join(dict.fromkeys(resources))}" if resources else actions_text
