"""Steps of an item: what it has done already, so that another try at it, also in a later run, does not do it again."""

from functions.core.runs.outcomes import find_steps, keep_steps


class Steps:
    """The steps of one item, kept with its outcome in the run that first had it."""

    def __init__(self, origin_run_id: str, index: int, delete_at: int) -> None:
        """As the item's delivery has them."""
        self._origin_run_id = origin_run_id
        self._index = index
        self._delete_at = delete_at
        self._found: dict[str, str] | None = None

    def recall(self, step: str) -> str | None:
        """What a step came to; null where it was not done. Asks DynamoDB once."""
        return self._known().get(step)

    def record(self, step: str, value: str) -> None:
        """Keeps what a step came to. 1 DynamoDB request."""
        self._known()[step] = value
        keep_steps(self._origin_run_id, self._index, self._known(), self._delete_at)

    def _known(self) -> dict[str, str]:
        if self._found is None:
            self._found = find_steps(self._origin_run_id, self._index)
        return self._found
