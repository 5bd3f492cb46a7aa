"""Ids of schedules, which are also their names in EventBridge Scheduler.

Its lists hold names and states only. So a name says to which group and workflow a schedule belongs:
`<group>.<workflow>.<16 characters>`, or `<workflow>.<16 characters>` without a group. No part can
hold a dot. The characters are random, or follow from what must not make two schedules: an
idempotency key, the item of a run.
"""

import hashlib
import re
import secrets
import string
from typing import Annotated, NamedTuple

from msgspec import Meta

from functions.core.errors import FieldError, InvalidParameters, NotFound

_LONGEST = 64
"""Characters of a name in EventBridge Scheduler."""
_RANDOM_CHARACTERS = 16
"""82 bits."""
_ALPHABET = string.digits + string.ascii_lowercase

_GROUP = re.compile(r"[0-9A-Za-z_-]+")
_FORM = rf"(?:([0-9A-Za-z_-]+)\.)?([a-z][a-z0-9_]*)\.[0-9a-z]{{{_RANDOM_CHARACTERS}}}"
_ID = re.compile(_FORM)

Group = Annotated[
    str,
    Meta(
        extra_json_schema={
            "pattern": f"^{_GROUP.pattern}$",
            "maxLength": 46,
            "examples": ["order-1234"],
        }
    ),
]
"""Name of a group, as `_check_group` checks and explains it."""
ScheduleId = Annotated[
    str,
    Meta(
        pattern=rf"^{_FORM}\Z",
        max_length=_LONGEST,
        examples=["order-1234.verify_send.g78l59dn560nfdmf"],
    ),
]
"""Id of a schedule."""


class ScheduleName(NamedTuple):
    """Parts of a schedule's id."""

    schedule_id: str
    group: str | None
    workflow: str


def new_name(workflow: str, group: str | None, seed: str | None = None) -> ScheduleName:
    """New unique name; with a seed, always the same one.

    Raises `InvalidParameters` for a group that cannot be part of a name.
    """
    if group is not None:
        _check_group(group, _LONGEST - len(f"..{workflow}") - _RANDOM_CHARACTERS)
    characters = _random() if seed is None else _following_from(seed)
    return ScheduleName(
        ".".join(part for part in (group, workflow, characters) if part), group, workflow
    )


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))


def _following_from(seed: str) -> str:
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    digits = (number // len(_ALPHABET) ** place for place in range(_RANDOM_CHARACTERS))
    return "".join(_ALPHABET[digit % len(_ALPHABET)] for digit in digits)


def read_name(schedule_id: str) -> ScheduleName:
    """Reads a schedule's id. Raises `NotFound` if it cannot be one."""
    match = _ID.fullmatch(schedule_id)
    if not match or len(schedule_id) > _LONGEST:
        raise no_such_schedule()
    return ScheduleName(schedule_id, match[1], match[2])


def no_such_schedule() -> NotFound:
    """Error for a schedule that does not exist, or no longer."""
    return NotFound(
        "This schedule does not exist. If it has fired, GET /runs lists the run that it started."
    )


def prefix_of(group: str) -> str:
    """Prefix of the names in a group; other names may share it. Raises `InvalidParameters`."""
    _check_group(group, _LONGEST - _RANDOM_CHARACTERS - len(".x."))
    return f"{group}."


def _check_group(group: str, longest: int) -> None:
    if not _GROUP.fullmatch(group) or len(group) > longest:
        sentence = f"must be 1 to {longest} letters, digits, hyphens or underscores"
        raise InvalidParameters(FieldError("/group", sentence))
