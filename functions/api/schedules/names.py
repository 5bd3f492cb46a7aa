"""Ids of schedules, which are also their names in EventBridge Scheduler: its lists tell names and states only, so a name says
to which group and workflow a schedule belongs. An id is never used again.

`<group>.<workflow>.<16 random characters>`, or `<workflow>.<16 random characters>` without a group. None of the parts can
hold a dot.
"""

import re
import secrets
import string
from typing import NamedTuple

from functions.core.errors import FieldError, InvalidParameters, NotFound

_LONGEST = 64
"""Characters of a name in EventBridge Scheduler."""
_RANDOM_CHARACTERS = 16
"""82 bits."""
_ALPHABET = string.digits + string.ascii_lowercase

_GROUP = re.compile(r"[0-9A-Za-z_-]+")
_ID = re.compile(rf"(?:([0-9A-Za-z_-]+)\.)?([a-z][a-z0-9_]*)\.[0-9a-z]{{{_RANDOM_CHARACTERS}}}")


class ScheduleName(NamedTuple):
    """What a schedule's id says."""

    schedule_id: str
    group: str | None
    workflow: str


def new_name(workflow: str, group: str | None) -> ScheduleName:
    """A name that no schedule had before. Raises `InvalidParameters` for a group that cannot be in one."""
    if group is not None:
        _refuse_wrong(group, _LONGEST - len(f"..{workflow}") - _RANDOM_CHARACTERS)
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return ScheduleName(
        ".".join(part for part in (group, workflow, random) if part), group, workflow
    )


def read_name(schedule_id: str) -> ScheduleName:
    """Raises `NotFound` when it is no schedule's id."""
    found = _ID.fullmatch(schedule_id)
    if not found or len(schedule_id) > _LONGEST:
        raise NotFound("There is no such schedule; one that has fired is its run.")
    return ScheduleName(schedule_id, found[1], found[2])


def prefix_of(group: str) -> str:
    """With which the names of a group's schedules begin; so may others. Raises `InvalidParameters`."""
    _refuse_wrong(group, _LONGEST - _RANDOM_CHARACTERS - len(".x."))
    return f"{group}."


def _refuse_wrong(group: str, longest: int) -> None:
    if not _GROUP.fullmatch(group) or len(group) > longest:
        sentence = f"must be 1 to {longest} letters, digits, hyphens or underscores"
        raise InvalidParameters(FieldError("/group", sentence))
