"""Lineage: the runs above a run, and the earlier tries that it continues."""

import msgspec

from functions.core import config
from functions.core.errors import TooDeep
from functions.core.runs.settings import RunLimits


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that led to a run. It travels with the execution and with every call of its items."""

    ancestors: tuple[str, ...] = ()
    """Ids of the runs above, the first one first. An item stops when one of them is cancelled."""
    index: int | None = None
    """Index of the item of the last ancestor that started the run."""
    depth: int = 0
    """Starts and calls of workflows by workflows above."""
    continues: tuple[str, ...] = ()
    """Ids of ended runs of the same items, the newest first. An item that succeeded in one of them
    is not repeated.
    """

    awaited: bool = False
    """Whether an item waits for the end of the run."""

    def below_item(self, run_id: str, index: int) -> "Lineage":
        """Lineage of what an item of a run with this lineage starts or calls."""
        return Lineage(ancestors=(*self.ancestors, run_id), index=index, depth=self.depth + 1)

    def below_call(self) -> "Lineage":
        """Lineage of what a call with this lineage starts or calls."""
        return Lineage(ancestors=self.ancestors, index=self.index, depth=self.depth + 1)


TOP = Lineage()
"""Lineage of a run that no workflow started."""


def refuse_too_deep(lineage: Lineage) -> None:
    """Raises `TooDeep` for a start or a call below too many others."""
    most = config.read(RunLimits).max_depth
    if lineage.depth > most:
        raise TooDeep(
            f"Workflows have started or called each other {most} levels deep. A workflow that "
            "starts itself needs a condition that ends it; [runs] max_depth sets the limit."
        )
