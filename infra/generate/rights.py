"""Rights and variables in a workflow's section of template.yaml, edited as text.

Every workflow has the platform's rights, for its log, its runs and its idempotency keys. All others
are the workflow's own, and a copy may not need them.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_SERVICE_NAME = "POWERTOOLS_SERVICE_NAME"
_PLATFORM = re.compile(
    r"(Log\.Arn\}|\bRunFiles\.Arn\}/runs/\*|\bOutcomes\.Arn|-RunWorkflow(:\*)?|\bIdempotency\.Arn)$",
    re.MULTILINE,
)
"""Ends of the resources in the platform's rights."""

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
        return self.kind == "statement" and not _PLATFORM.search(text.replace("\r", ""))


def own_rights(section: Lines) -> list[str]:
    """The workflow's own rights, such as `dynamodb:UpdateItem on Limits`."""
    return [
        _description("".join(block.lines))
        for block in _blocks(section)
        if block.kind == "statement" and block.is_own
    ]


def has_platform_rights(section: Lines) -> bool:
    """True if the section has all of the platform's rights."""
    texts = [
        "".join(block.lines)
        for block in _blocks(section)
        if block.kind == "statement" and not block.is_own
    ]
    needed = (
        "Log.Arn",
        "RunFiles.Arn",
        "Outcomes.Arn",
        "stateMachine:",
        "execution:",
        "Idempotency.Arn",
    )
    return all(any(each in text for text in texts) for each in needed)


def without_own(section: Lines) -> Lines:
    """The section with only the platform's rights and the service's name."""
    blocks = list(_blocks(section))
    first = next((block for block in blocks if block.kind == "statement"), None)
    result: Lines = []
    for block in blocks:
        if block is first:
            result += _comment(
                block,
                "Every workflow has these rights, for its log, its runs and its idempotency keys.",
            )
            result += _comment(
                block, "Add what only this one does at the end: one action, on one resource."
            )
        result += [] if block.is_own else block.lines
    return result


def to_review(section: Lines, source: str) -> Lines:
    """The section with a review comment at copied rights and variables."""
    result: Lines = []
    variables = False
    for block in _blocks(section):
        if block.is_own and block.kind == "statement":
            result += _comment(
                block, f"Review: copied from {source}. Delete it unless the code needs this right."
            )
        elif block.is_own and not variables:
            result += _comment(
                block, f"Review: copied from {source}. Delete those that the code does not read."
            )
            variables = True
        result += block.lines
    return result


def described(section: Lines, sentence: str) -> Lines:
    """The section with another description of its function."""
    return [
        re.sub(r"^(      Description: )[^\r\n]*", rf"\g<1>{sentence}", line) for line in section
    ]


def _blocks(section: Lines) -> Iterator[Block]:
    """All lines in order; a comment belongs to the block below it."""
    kind: Kind = "other"
    depth, block = 0, Block("other", [])
    for line in section:
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip() or indent < depth:
            kind, depth = "other", 0
        above = all(each.lstrip().startswith("#") for each in block.lines)
        if block.kind != kind or (kind != "other" and indent == depth and not above):
            yield block
            block = Block(kind, [])
        block.lines.append(line)
        kind, depth = _REGIONS.get(line.rstrip("\r\n"), (kind, depth))
    yield block


def _comment(block: Block, text: str) -> Lines:
    """Comment line with the indentation of a block."""
    first = block.lines[0]
    indent, end = first[: len(first) - len(first.lstrip(" "))], first[len(first.rstrip("\r\n")) :]
    return [f"{indent}# {text}{end}"]


def _description(statement: str) -> str:
    actions = re.search(r"Action: ([^\r\n]+)", statement)
    resources = re.findall(
        r"(?:!GetAtt |!Ref |\$\{)(?!AWS::)(\w+)", statement.partition("Resource:")[2]
    )
    actions_text = actions[1].strip("[]") if actions else "a statement without an action"
    return f"{actions_text} on {', '.join(dict.fromkeys(resources))}" if resources else actions_text
