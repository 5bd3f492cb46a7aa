"""Long lists: how long they take, what holds them up, and what they cost."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from functions.core.runs.start import MAX_ITEMS
from infra.plan import demand, loads, memory, prices, quotas
from infra.plan.bench_page import Measured

SIZES = (100_000, 1_000_000, 10_000_000)
AT_ONCE = (20, 200, 1_000)
"""Items at once, of all lists together."""
_LOG_BYTES = 1_200


class Plan(NamedTuple):
    """So many items, so many at once."""

    items: int
    at_once: int
    item_seconds: float

    @property
    def runs(self) -> int:
        """Lists that hold the items."""
        return math.ceil(self.items / MAX_ITEMS)

    @property
    def a_second(self) -> float:
        """Items a second: as many as run at once, or as the partitions of the runs take."""
        return min(self.at_once / self.item_seconds, self.partitions_take)

    @property
    def partitions_take(self) -> float:
        """Items a second whose outcomes the partitions take, one for each run."""
        each = quotas.PARTITION_WRITES.value / demand.writes(demand.EMAIL_ITEM, "Outcomes")
        return self.runs * each

    @property
    def seconds(self) -> float:
        """Time of all items."""
        return self.items / self.a_second

    @property
    def held_by(self) -> str:
        """What holds it up."""
        hot = self.at_once / self.item_seconds > self.partitions_take
        return "partition of the outcomes" if hot else "`max_concurrency`"


def item_usd(measured: Mapping[str, Measured]) -> dict[str, float]:
    """Cost of a million items by what is paid for; each sends an email."""
    seconds = loads.item_seconds(measured)
    gigabyte_seconds = seconds * memory.USUAL_MEGABYTES / 1024
    units = demand.EMAIL_ITEM
    each = {
        "SES": prices.EMAIL,
        "Step Functions": prices.TRANSITION * demand.TRANSITIONS_OF_AN_ITEM
        + prices.EXPRESS_REQUEST
        + seconds * prices.EXPRESS_GIGABYTES * prices.EXPRESS_GIGABYTE_SECOND,
        "DynamoDB": sum(
            one.writes * prices.WRITE_UNIT + one.reads * prices.READ_UNIT for one in units
        ),
        "Lambda": prices.LAMBDA_REQUEST
        + gigabyte_seconds * prices.LAMBDA_GIGABYTE_SECOND["x86_64"],
        "CloudWatch Logs": _LOG_BYTES / 1e9 * prices.LOG_GIGABYTE,
        "S3": prices.S3_READ,
    }
    return {name: usd * 1e6 for name, usd in each.items()}
