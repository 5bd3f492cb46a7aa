"""Names of workflows, and their replacement in a copy.

Only whole identifiers are replaced: a copy of verify_delete keeps VERIFY_DELETE_FUNCTION and
table.verify_delete.
"""

import builtins
import keyword
import re
from typing import NamedTuple

from infra.generate.errors import Refused

LONGEST_NAME = 32
"""Characters; a function's name has at most 64 with `<stack name>-wf-`, and a run's id 80."""
_FORM = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Renaming(NamedTuple):
    """Replacement of a workflow's names by those of its copy."""

    old: str
    new: str
    identifiers: frozenset[str]
    """Classes and logical ids that contain the old name in CamelCase."""

    def __call__(self, text: str) -> str:
        """The text with the new name for every whole word that is the old one."""
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
    """True if an identifier begins with a workflow's name in CamelCase: `SendReceiptLog`."""
    return re.match(rf"{camel(name)}(?![a-z0-9])", identifier) is not None


def refuse_invalid_name(name: str) -> None:
    """Raises `Refused` for an invalid name of a workflow."""
    if not name:
        raise Refused(
            "Say how it is called: make workflow NAME=send_receipt FROM=blank, "
            "or FROM=<another workflow>"
        )
    if not _FORM.fullmatch(name):
        raise Refused(
            f"NAME must be lower-case words joined by _, such as send_receipt, not {name!r}."
        )
    if len(name) > LONGEST_NAME:
        raise Refused(f"NAME has at most {LONGEST_NAME} characters, and {name} has {len(name)}.")
    if keyword.iskeyword(name) or name in dir(builtins):
        raise Refused(
            f"NAME becomes the name of a Python function, and {name} is a word of Python's own."
        )
