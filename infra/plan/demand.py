"""What one verification, one background call and one item of a list take of DynamoDB.

tests/workflows/test_plan.py compares these numbers with the requests that the functions make. Items
of these tables are smaller than a kilobyte, so each write takes one unit, and two in a transaction.
"""

from typing import NamedTuple


class Units(NamedTuple):
    """Units of one table."""

    table: str
    """Its name in template.yaml."""
    writes: float = 0
    reads: float = 0


VERIFICATION = (Units("Verifications", writes=5, reads=1), Units("Limits", writes=8, reads=2))
"""By email with a publishable token over IPv4: sent, checked with the right code, deleted."""
EVENTS_OF_A_VERIFICATION = 2
"""With EventsUrl: it was sent, and it was approved. Each is a run of `deliver_event`."""
EMAIL_ITEM = (Units("Outcomes", writes=3, reads=2), Units("Limits", writes=4))
"""An item of send_email_template, whose email is a step."""
BARE_ITEM = (Units("Outcomes", writes=2, reads=1),)
"""An item of a workflow that uses nothing and has no steps."""
RECORD_OF_A_RUN = (Units("RunRecords", writes=4),)
"""Opened and closed, two kilobytes each time. Its index takes three units more."""
RUNNING_SHELF_WRITES = 2
"""Of the index `listed`: a run is put among those that run, and taken from them."""
TRANSITIONS_OF_A_CALL = 5
TRANSITIONS_OF_AN_ITEM = 1


def writes(units: tuple[Units, ...], table: str) -> float:
    """Write units of one table."""
    return sum(each.writes for each in units if each.table == table)
