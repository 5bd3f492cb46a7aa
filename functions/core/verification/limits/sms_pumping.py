"""Conversions: how many of a country's SMS codes are entered. Where hardly any is, somebody is
pumping SMS.

Sends for strangers are counted by the networks that they come from. One stranger, who can ask for
many codes and enter none, is no reason to refuse all others; pumping that pays comes from many
networks, and then the country is paused for strangers. Otherwise, and of what servers send on their
own account, nothing is refused; an operator is told.

Counted when verifications end, 15 minutes after they were sent, so a check stays one write. In large
deployments the counters are spread over shards, each of which judges by what it sees.
"""

import random
from collections.abc import Set as AbstractSet

from pynamodb.expressions.update import Action

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.observability import count, logger
from functions.core.verification.limits import sending
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification

SENDS = 50
"""More than so many in an hour, of which …"""
VALID_SHARE = 0.1
"""… less than this share led to a valid check, are pumping, …"""
NETWORKS = 20
"""… if those that did not came from so many networks. Whoever has so many addresses could as well
use up strangers' share of a country's ceiling within the hour (20 times 60 sends, of 800): a pause
is no cheaper a way to stop others."""

MARKS_PER_NETWORK = 4
"""About so many of one network are weighed, of those that were valid and of those that were not:
each takes one of so many places at random. Otherwise one network could outweigh a country, or its
own valid checks hide what all others send."""

MARKS = 1024 * MARKS_PER_NETWORK
"""Bounds the item: two sets of at most 16 KB. Networks that share their places count as one."""

_CEILING_OF_A_SHARD = 2000
"""A country's sends in a day for each shard, so that an hour's valid ones leave most places free."""
_MOST_SHARDS = 256
_PAUSE_SECONDS = DAY_SECONDS


def count_ended(verification: Verification, now: float) -> None:
    """Counts an ended verification for its country, and judges the hour so far.

    1 DynamoDB request, and 1 more where the country is to be paused.
    """
    if not verification.country or verification.test:
        return
    country, valid = str(verification.country), verification.spent
    if verification.client_network is None:
        _report_if_low(country, "servers", _count_for_server(country, now, valid=valid))
        return
    seen = _count_for_stranger(country, int(verification.client_network), now, valid=valid)
    if are_pumping(int(seen.used or 0), seen.failed_marks or set(), seen.valid_marks or set()):
        _pause(country, seen, now)
    else:
        _report_if_low(country, "strangers", seen)


def random_mark(network: int) -> int:
    """The place that a send of a network takes among those that ended alike."""
    place = random.randrange(MARKS_PER_NETWORK)  # noqa: S311 - a sample, no secret
    return (network * MARKS_PER_NETWORK + place) % MARKS


def networks_of(marks: AbstractSet[float]) -> int:
    """How many networks took these places."""
    return len({int(place) // MARKS_PER_NETWORK for place in marks})


def are_pumping(sends: int, failed: AbstractSet[float], valid: AbstractSet[float]) -> bool:
    """Whether so many sends for strangers are pumping.

    Args:
        sends: all of them within an hour.
        failed: places of those that led to no valid check.
        valid: places of those that did.
    """
    hardly_any = len(valid) < (len(valid) + len(failed)) * VALID_SHARE
    return sends > SENDS and networks_of(failed) >= NETWORKS and hardly_any


def _count_for_server(country: str, now: float, *, valid: bool) -> SendLimitRecord:
    shard = random.randrange(_shard_count())  # noqa: S311 - spreads load, no secret
    return _count(f"sms-pumping-servers#{country}", shard, now, [], valid=valid)


def _count_for_stranger(country: str, network: int, now: float, *, valid: bool) -> SendLimitRecord:
    # A network has one shard: a part of all networks is seen there, and not a part of each.
    network, shard = divmod(network, _shard_count())
    marks = SendLimitRecord.valid_marks if valid else SendLimitRecord.failed_marks
    name = f"sms-pumping-strangers#{country}"
    return _count(name, shard, now, [marks.add({random_mark(network)})], valid=valid)


def _count(
    name: str, shard: int, now: float, actions: list[Action], *, valid: bool
) -> SendLimitRecord:
    hour = int(now // HOUR_SECONDS)
    actions += [
        SendLimitRecord.used.add(1),
        SendLimitRecord.valid.add(1 if valid else 0),
        SendLimitRecord.delete_at.set((hour + 2) * HOUR_SECONDS),
    ]
    _, stored = SendLimitRecord.update_if(f"{name}#{hour}#{shard}", actions, None)
    assert stored is not None  # noqa: S101 - an update without a condition always leaves an item
    return stored


def _shard_count() -> int:
    shards = sending.settings().country_sends_per_day // _CEILING_OF_A_SHARD
    return max(1, min(_MOST_SHARDS, shards))


def _report_if_low(country: str, sent_for: str, seen: SendLimitRecord) -> None:
    sends, valid = int(seen.used or 0), int(seen.valid or 0)
    # Each write sees another count, so an operator is told once in so many sends.
    if sends % (SENDS + 1) == 0 and valid < sends * VALID_SHARE:
        count("LowConversion")
        logger.error(
            "hardly any code is entered",
            country=country,
            sent_for=sent_for,
            sends=sends,
            valid=valid,
        )


def _pause(country: str, seen: SendLimitRecord, now: float) -> None:
    """Pauses a country, unless it is paused already, or an operator has just resumed it."""
    until = int(now) + _PAUSE_SECONDS
    not_paused = SendLimitRecord.paused_until.does_not_exist() | (
        SendLimitRecord.paused_until <= now
    )
    may_be = SendLimitRecord.not_paused_before.does_not_exist() | (
        SendLimitRecord.not_paused_before <= now
    )
    actions: list[Action] = [
        SendLimitRecord.paused_until.set(until),
        SendLimitRecord.delete_at.set(until),
    ]
    paused, _ = SendLimitRecord.update_if(
        sending.country_key(country), actions, not_paused & may_be
    )
    if paused:
        count("CountryPaused")
        logger.error(
            "country paused for strangers: hardly any code is entered there",
            country=country,
            sends=int(seen.used or 0),
            valid=int(seen.valid or 0),
            networks=networks_of(seen.failed_marks or set()),
        )
