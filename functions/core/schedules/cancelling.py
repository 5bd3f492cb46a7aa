"""Cancels schedules: one, or all of a group."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched

from functions.core.aws import s3, scheduler
from functions.core.errors import NotFound
from functions.core.schedules.definition import delete_definitions, find_definition, ids_of
from functions.core.schedules.making import forget_key
from functions.core.schedules.names import prefix_of, read_name

_WORKERS = 10
"""Concurrent calls; botocore's client keeps as many connections."""
_BATCH = 1000
"""Objects that one request to S3 deletes."""


def cancel_group(group: str, may_cancel: Callable[[str], bool]) -> int:
    """Cancels the schedules of a group; returns their number.

    S3 lists definitions, also of schedules that were made a moment ago.

    Args:
        group: name of the group.
        may_cancel: whether schedules of a workflow may be cancelled. Others stay.

    Raises:
        InvalidParameters: the group is not a valid name.
        Unavailable
    """
    cancelled = 0
    for schedule_ids in batched(_ids_of_group(group, may_cancel), _BATCH):
        remove(list(schedule_ids))
        cancelled += len(schedule_ids)
    return cancelled


def remove(schedule_ids: list[str]) -> None:
    """Deletes up to 1,000 schedules.

    The definitions go first, so a schedule that fires meanwhile runs nothing.
    """
    s3.prepare()
    with ThreadPoolExecutor(_WORKERS) as workers:
        definitions = [each for each in workers.map(find_definition, schedule_ids) if each]
        delete_definitions(schedule_ids)
        list(workers.map(scheduler.delete, schedule_ids))
        list(workers.map(forget_key, (each for each in definitions if each.key)))


def _ids_of_group(group: str, may_cancel: Callable[[str], bool]) -> Iterator[str]:
    # All at once: each batch that is deleted would shift the pages behind it.
    for schedule_id in ids_of(prefix_of(group)):
        try:
            name = read_name(schedule_id)
        except NotFound:
            continue
        if name.group == group and may_cancel(name.workflow):
            yield schedule_id
