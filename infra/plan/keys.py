"""Keys of DynamoDB that get hot: a partition takes only so many units a second."""

from typing import NamedTuple

from functions.core.rate_limits.counters import MOST_SHARDS
from infra.plan import demand, quotas
from infra.plan.loads import counter_conflicts
from infra.plan.quotas import Quota

_TRANSACTION_WRITES = 2
_SKIPPED_WRITES = 1 + 2 * _TRANSACTION_WRITES
"""The claim, and one transaction over outcome and counter."""


class Key(NamedTuple):
    """A key that many requests name."""

    name: str
    table: str
    units: float
    """That one `thing` takes of the key, or of all its records together."""
    thing: str
    records: int = 1
    """Records that share the load, each in a partition of its own at best."""
    quota: Quota = quotas.PARTITION_WRITES
    why: str = ""
    """Reason why it is so much, or no more."""

    @property
    def reached_at(self) -> float:
        """Things a second at which the partitions are full."""
        return self.quota.value * self.records / self.units


def keys() -> tuple[Key, ...]:
    """Keys that a high load heats, the first to get hot first."""
    found = (
        Key(
            "a run's id",
            "Outcomes",
            demand.writes(demand.EMAIL_ITEM, "Outcomes"),
            "items of one run, with a step each",
            why="claim, step and outcome of an item are records of its run",
        ),
        Key(
            "a run's id",
            "Outcomes",
            demand.writes(demand.BARE_ITEM, "Outcomes"),
            "items of one run, without steps",
        ),
        Key(
            "a run's id",
            "Outcomes",
            _SKIPPED_WRITES,
            "skipped items of one run",
            why="its eight counters are in the partition, too, and each is in a transaction",
        ),
        Key(
            "a run's id",
            "Outcomes, index `failed`",
            1,
            "failed items of one run",
        ),
        Key(
            "`<workflow> running`",
            "RunRecords, index `listed`",
            demand.RUNNING_SHELF_WRITES,
            "background calls of one workflow",
            why="newer runs sort behind older ones, so all writes are at one end",
        ),
        Key(
            "the count of all emails of a day",
            "Limits",
            _TRANSACTION_WRITES,
            "sends",
            MOST_SHARDS,
            why=f"256 records from a limit of 128,000 on, one picked at random: at 1,000 sends a "
            f"second, {counter_conflicts(1_000):.0%} meet another one and are written again",
        ),
        Key(
            "a token",
            "Tokens",
            1,
            "reads of one token",
            quota=quotas.PARTITION_READS,
            why="each process of its runs reads it once a minute, so 1,000 processes are 17",
        ),
    )
    return tuple(sorted(found, key=lambda key: key.reached_at))
