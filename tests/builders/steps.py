"""Records of an item's steps, in memory."""

from functions.core.runs.items.steps import Step


class Steps:
    """Steps of an item."""

    def __init__(self) -> None:
        self.kept: dict[str, Step] = {}

    def all(self) -> dict[str, Step]:
        return self.kept

    def keep(self, step: Step) -> None:
        self.kept[step.name] = step
