"""Conversions: how many of a country's SMS codes are entered. Where hardly any is, somebody is pumping SMS, and the country is
paused.

Counted when verifications end, 15 minutes after they were sent, so a check stays one write. Spread over the shards of the
country's own ceiling; each shard judges by what it sees, which is a fair sample.
"""

import random

from functions.core import counters
from functions.core.log import count, logger
from functions.core.times import HOUR_SECONDS
from functions.core.verification import limits
from functions.core.verification.limits import Limit
from functions.core.verification.record import Verification

SENDS = 50
"""So many in an hour, of which …"""
VALID_SHARE = 0.1
"""… less than this share led to a valid check, pause a country."""
FEWEST_IN_A_SHARD = 20
PAUSE_SECONDS = 86_400


def note(verification: Verification, now: float) -> None:
    """Counts an ended verification for its country, and pauses the country when the numbers say so. 1 DynamoDB request."""
    if not verification.country or verification.test:
        return
    shards = counters.shards(limits.settings().country_sends_per_day)
    seen = _counted(str(verification.country), random.randrange(shards), now, valid=verification.spent)  # noqa: S311
    sends, valid = int(seen.used or 0), int(seen.valid or 0)
    if sends >= min(SENDS, FEWEST_IN_A_SHARD) and sends * shards > SENDS and valid < sends * VALID_SHARE:
        _pause(str(verification.country), sends, valid, now)


def _counted(country: str, shard: int, now: float, *, valid: bool) -> Limit:
    hour = int(now // HOUR_SECONDS)
    actions = [
        Limit.used.add(1),
        Limit.valid.add(1 if valid else 0),
        Limit.delete_at.set((hour + 2) * HOUR_SECONDS),
    ]
    _, stored = Limit.update_if(f"conversion#{country}#{hour}#{shard}", actions, None)
    assert stored is not None  # noqa: S101 - an update without a condition always leaves an item
    return stored


def _pause(country: str, sends: int, valid: int, now: float) -> None:
    until = int(now) + PAUSE_SECONDS
    Limit.update_if(limits.country_key(country), [Limit.paused_until.set(until), Limit.delete_at.set(until)], None)
    count("CountryPaused")
    logger.error("country paused: hardly any code is entered there", country=country, sends=sends, valid=valid)
