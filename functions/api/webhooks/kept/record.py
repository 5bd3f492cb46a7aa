"""Records of deliveries in DynamoDB: which delivery an id belongs to, and what became of it.

The table is that of idempotency keys: an id of a delivery is one.
"""

import hashlib
import re
from collections.abc import Sequence

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.clock import DAY_SECONDS
from functions.core.config import table_name
from functions.core.http.problems import Problem

_OUTCOME_SECONDS = 90 * DAY_SECONDS
"""As long as the longest window: a repetition must find its run."""
_LAST_MS = 9_999_999_999_999
"""Later than any time. Ids count down from it, so that S3 lists the newest first."""
_ID = re.compile(r"([0-9]{13})-[0-9a-f]{16}")


class _Record(dynamodb.Table):
    """Either `id` of the delivery that an identity belongs to, or the outcome of a delivery."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("IDEMPOTENCY_TABLE")

    call = UnicodeAttribute(hash_key=True)
    delivery_id = UnicodeAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    problem = UnicodeAttribute(null=True)
    """JSON."""
    woken = NumberAttribute(null=True)
    replay = UnicodeAttribute(null=True)
    delete_at = NumberAttribute()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a delivery: a run, an event, a problem, or none of them."""

    run_id: str | None = None
    woken: int | None = None
    """Items that its event has woken; null if it sent none."""
    problem: Problem | None = None
    replay: str | None = None
    """Digest of the idempotency key of the replay that started the run or sent the event."""

    @property
    def took_effect(self) -> bool:
        """True if a run was started or an event was sent."""
        return self.run_id is not None or self.woken is not None


def claim(source: str, identity: str, window_seconds: int) -> tuple[str, bool]:
    """Id of the delivery with this identity, and whether it is new. 1 DynamoDB request.

    Of parallel repetitions one is new, and all get the same id.
    """
    now = clock.now()
    digest = hashlib.sha256(identity.encode()).hexdigest()
    new_id = f"{_LAST_MS - int(now * 1000):013d}-{digest[:16]}"
    actions = [
        _Record.delivery_id.set(new_id),
        _Record.delete_at.set(int(now) + window_seconds),
    ]
    free = _Record.delivery_id.does_not_exist() | (_Record.delete_at <= int(now))
    claimed, stored = _Record.update_if(f"webhook\n{source}\n{digest}", actions, free)
    known = str(stored.delivery_id) if stored else new_id
    # The SDK may repeat a write whose answer was lost, and then finds its own.
    return known, claimed or known == new_id


def conclude(source: str, delivery_id: str, outcome: Outcome) -> None:
    """Records what became of a delivery. 1 DynamoDB request."""
    record = _Record(
        _key(source, delivery_id),
        run_id=outcome.run_id,
        woken=outcome.woken,
        problem=msgspec.json.encode(outcome.problem).decode() if outcome.problem else None,
        replay=outcome.replay,
        delete_at=int(clock.now()) + _OUTCOME_SECONDS,
    )
    with dynamodb.unavailable_if_transient():
        record.save()


def outcomes(source: str, ids: Sequence[str]) -> dict[str, Outcome]:
    """Outcomes of up to 100 deliveries, without those that have none yet. 1 DynamoDB request."""
    if not ids:
        return {}
    keys = {_key(source, each): each for each in ids}
    found = dynamodb.read([(_Record, key) for key in keys])
    return {keys[key]: _outcome(record) for (_, key), record in found.items()}


def received_ms(delivery_id: str) -> int | None:
    """Time of a delivery in milliseconds since the epoch; null for a text that is no id."""
    found = _ID.fullmatch(delivery_id)
    return _LAST_MS - int(found[1]) if found else None


def time_of_event(delivery_id: str) -> float:
    """Time of the event that a delivery sends first, in seconds since the epoch.

    The same at each try, so that a repetition replaces it. Deliveries of one millisecond differ.
    """
    count, _, digest = delivery_id.partition("-")
    micros = (_LAST_MS - int(count)) * 1000 + int(digest, 16) % 1000
    return micros / 1_000_000


def _key(source: str, delivery_id: str) -> str:
    return f"delivery\n{source}\n{delivery_id}"


def _outcome(record: _Record) -> Outcome:
    told = record.problem
    return Outcome(
        run_id=record.run_id,
        woken=None if record.woken is None else int(record.woken),
        problem=msgspec.json.decode(told, type=Problem) if told else None,
        replay=record.replay,
    )
