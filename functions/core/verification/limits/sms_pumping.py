"""Detects SMS pumping: a country in which hardly any code is entered.

Sends for strangers are counted with the networks they come from. One stranger may ask for many
codes and enter none; that is no reason to refuse all others. Pumping that pays comes from many
networks: then the country is paused for strangers. In all other cases, and for the sends that
servers make on their own account, nothing is refused and the operator is alerted.

A verification is counted when it ends, 15 minutes after its send, so a check stays one write. In
large deployments the counters are spread over shards; each shard judges by its own counts.
"""

import random
from collections.abc import Set as AbstractSet

from pynamodb.expressions.update import Action

from functions.core import config
from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.observability import count, logger
from functions.core.verification.limits import sending
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification

SENDS = 50
"""Sends to a country in an hour above which they are judged."""
VALID_SHARE = 0.1
"""Share of valid checks below which sends count as pumping."""
NETWORKS = 20
"""Number of networks with failed sends from which a country is paused.

A pause is no cheaper way to stop other strangers than the limits are. The addresses of 20 networks
may send 20 times 60 codes an hour, and strangers share 800 sends a day to a country.
"""

MARKS_PER_NETWORK = 4
"""Marks that one network can set among valid sends, and as many among failed ones.

Each send sets one of its network's marks at random. However much one network sends, it counts as
four sends at most. Otherwise one network could outweigh a country, or hide the sends of all others
by its own valid checks.
"""

MARKS = 1024 * MARKS_PER_NETWORK
"""Number of different marks; bounds the record to two sets of at most 16 KB.

Networks that share their marks count as one.
"""

_CEILING_OF_A_SHARD = 2000
"""Daily sends of a country for each shard, so that an hour's valid ones leave most marks free."""
_MOST_SHARDS = 256
_PAUSE_SECONDS = DAY_SECONDS


def count_ended(verification: Verification, now: float) -> None:
    """Counts an ended verification for its country, then judges the hour so far.

    1 DynamoDB request, and 1 more to pause the country.
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
    """Returns one of a network's marks."""
    number = random.randrange(MARKS_PER_NETWORK)  # noqa: S311 - a sample, no secret
    return (network * MARKS_PER_NETWORK + number) % MARKS


def networks_of(marks: AbstractSet[float]) -> int:
    """Number of networks that set these marks."""
    return len({int(each) // MARKS_PER_NETWORK for each in marks})


def are_pumping(sends: int, failed: AbstractSet[float], valid: AbstractSet[float]) -> bool:
    """Whether sends for strangers are pumping.

    Args:
        sends: number of sends within an hour.
        failed: marks of sends that led to no valid check.
        valid: marks of sends that led to one.
    """
    hardly_any = len(valid) < (len(valid) + len(failed)) * VALID_SHARE
    return sends > SENDS and networks_of(failed) >= NETWORKS and hardly_any


def _count_for_server(country: str, now: float, *, valid: bool) -> SendLimitRecord:
    shard = random.randrange(_shard_count())  # noqa: S311 - spreads load, no secret
    return _count(f"sms-pumping-servers#{country}", shard, now, [], valid=valid)


def _count_for_stranger(country: str, network: int, now: float, *, valid: bool) -> SendLimitRecord:
    # A network has one shard: each shard sees some networks, with all their sends.
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
    shards = config.read(sending.SendLimitSettings).country_sends_per_day // _CEILING_OF_A_SHARD
    return max(1, min(_MOST_SHARDS, shards))


def _report_if_low(country: str, sent_for: str, seen: SendLimitRecord) -> None:
    sends, valid = int(seen.used or 0), int(seen.valid or 0)
    # Each write sees another count, so the operator is alerted once in this many sends.
    if sends % (SENDS + 1) == 0 and valid < sends * VALID_SHARE:
        count("LowConversion")
        logger.error(
            "hardly any code is entered in a country",
            country=country,
            sent_for=sent_for,
            sends=sends,
            valid=valid,
        )


def _pause(country: str, seen: SendLimitRecord, now: float) -> None:
    """Pauses a country unless it is paused already or an operator has just resumed it."""
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
