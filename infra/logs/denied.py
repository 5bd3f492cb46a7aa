"""Finds denied permissions in error texts: action, resource, and the role that lacks it."""

import re
from typing import NamedTuple

_ACTION = re.compile(r"is not authorized to perform: ([\w-]+:\w+)")
_RESOURCE = re.compile(
    r"on resource: \"?([^\"\]\n]+?)\"?(?: because | with an explicit |\]|\"|$)", re.MULTILINE
)
_ADDED = re.compile(r"\[([\w-]+:\w+) on resource: ")
"""Form in which functions/core/aws/clients.py adds what an error leaves out."""
_ROLE = re.compile(r":assumed-role/([^/\s]+)/")


class Denied(NamedTuple):
    """A denied permission."""

    action: str
    resource: str
    role: str

    def __str__(self) -> str:
        role = f" (its role in template.yaml, {self.role}, does not allow it)" if self.role else ""
        return f"permission denied: {self.action} on {self.resource}{role}"


def find_denied(text: str) -> Denied | None:
    """The first denied permission in a text."""
    action = _ACTION.search(text) or _ADDED.search(text)
    if not action:
        return None
    resource, role = _RESOURCE.search(text), _ROLE.search(text)
    return Denied(action[1], resource[1] if resource else "*", role[1] if role else "")
