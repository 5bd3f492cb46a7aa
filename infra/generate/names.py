"""Names of workflows, and how a copy gets its own: whole identifiers only, so that a copy of verify_delete does not touch
VERIFY_DELETE_FUNCTION or table.verify_delete.
"""

import builtins
import keyword
import re
from typing import NamedTuple

from infra.generate.errors import Refused

LONGEST_NAME = 32
"""Characters: a Lambda's name has 64 at most, of which `<stack name>-wf-` takes some; a run's id has 80."""
_FORM = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Renaming(NamedTuple):
    """How the text of a workflow becomes the text of its copy."""

    old: str
    new: str
    identifiers: frozenset[str]
    """Classes and logical ids that carry the old name in CamelCase."""

    def __call__(self, text: str) -> str:
        """The text with the new name wherever the old one stands as a word of its own."""
        changed = re.sub(
            rf"(?:(?<![\w.])|(?<=workflows\.)|(?<=handler\.)){self.old}(?!\w)", self.new, text
        )
        for old, new in self.renamed.items():
            changed = re.sub(rf"\b{old}\b", new, changed)
        return changed

    @property
    def renamed(self) -> dict[str, str]:
        """New identifiers by old ones."""
        return {
            each: camel(self.new) + each.removeprefix(camel(self.old))
            for each in sorted(self.identifiers)
        }


def camel(name: str) -> str:
    """`send_receipt` as `SendReceipt`."""
    return "".join(part.capitalize() for part in name.split("_"))


def carries(identifier: str, name: str) -> bool:
    """Whether an identifier in CamelCase is the workflow's name, or begins with it: `SendReceiptLog`."""
    return re.match(rf"{camel(name)}(?![a-z0-9])", identifier) is not None


def refuse_invalid_name(name: str) -> None:
    """Raises `Refused` for what cannot be the name of a workflow."""
    if not name:
        raise Refused(
            "Say how it is called: make workflow NAME=send_receipt FROM=blank, or FROM=<another workflow>"
        )
    if not _FORM.fullmatch(name):
        raise Refused(f"NAME is lower-case words joined by _, such as send_receipt, not {name!r}.")
    if len(name) > LONGEST_NAME:
        raise Refused(f"NAME has at most {LONGEST_NAME} characters, and {name} has {len(name)}.")
    if keyword.iskeyword(name) or name in dir(builtins):
        raise Refused(
            f"NAME is the name of a Python function, and {name} is a word of Python's own."
        )
