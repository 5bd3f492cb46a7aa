"""Filters for log lines: by request, by run and by workflow."""

import re
from typing import NamedTuple

from infra.logs.line import Line, Source

_ID = re.compile(r"[\w.:/+=-]+")


class LineFilter(NamedTuple):
    """Conditions on log lines; an empty one restricts nothing."""

    request: str = ""
    run: str = ""
    workflow: str = ""

    def refuse_invalid(self) -> None:
        """Raises `ValueError` for an invalid id; it would become part of the filter's syntax."""
        for name, value in self._asdict().items():
            if value and not _ID.fullmatch(value):
                raise ValueError(f"{name.upper()}={value} is not a valid id.")

    def matches(self, line: Line) -> bool:
        """True if a line fits. Text that is not structured has no keys, but may name a request."""
        of_request = self.request in {"", line.keys.get("request_id")} or (
            not line.keys and self._names_request(line)
        )
        of_run = self.run in {"", line.keys.get("run_id")}
        return (
            of_request
            and of_run
            and self.workflow in {"", line.source.workflow, line.keys.get("workflow")}
        )

    def pattern(self, source: Source) -> str:
        """The filter in CloudWatch Logs' syntax, so that only such lines are sent; empty for all.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
        """
        conditions = {"request_id": self.request, "run_id": self.run}
        if source.workflow != self.workflow:
            conditions["workflow"] = self.workflow
        terms = [f'($.{key} = "{value}")' for key, value in conditions.items() if value]
        return f"{{ {' && '.join(terms)} }}" if terms else ""

    def _names_request(self, line: Line) -> bool:
        return self.request in f"{line.message}\n{line.traceback}"

    def __str__(self) -> str:
        named = [f"{name} {value}" for name, value in self._asdict().items() if value]
        return " and ".join(named) or "anything"
