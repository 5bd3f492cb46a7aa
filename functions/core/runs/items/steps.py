"""Steps of an item: recorded, so that another try, also in a later run, does not repeat them."""

from functions.core.runs.items.outcomes import find_steps, keep_steps


class Steps:
    """The steps of one item, kept with its outcome in the item's first run."""

    def __init__(self, origin_run_id: str, index: int, delete_at: int) -> None:
        """Takes the values of the item's delivery."""
        self._origin_run_id = origin_run_id
        self._index = index
        self._delete_at = delete_at
        self._found: dict[str, str] | None = None

    def recall(self, step: str) -> str | None:
        """The value of a step; null if it was not done. Asks DynamoDB once."""
        return self._known().get(step)

    def record(self, step: str, value: str) -> None:
        """Keeps the value of a step. 1 DynamoDB request."""
        self._known()[step] = value
        keep_steps(self._origin_run_id, self._index, self._known(), self._delete_at)

    def _known(self) -> dict[str, str]:
        if self._found is None:
            self._found = find_steps(self._origin_run_id, self._index)
        return self._found
