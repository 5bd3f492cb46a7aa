"""`make logs`: log lines of a request, a run or a workflow, or the latest of all functions."""

import argparse
import os
import sys
import time
from typing import Any, NamedTuple, NoReturn

import boto3
from botocore.config import Config

from infra import stack_target
from infra.logs.filters import LineFilter
from infra.logs.line import Line, Source
from infra.logs.reading import Tail, read
from infra.logs.sources import stack_sources
from infra.logs.text import is_coloured, shown

LAST_LINES = 100
"""Most lines shown when neither a request nor a run is given."""
_SPANS_SECONDS = (10 * 60, 3600, 86_400, 8 * 86_400)
"""Time spans, tried until one has lines. A run logs for at most 7 days, as its items are kept."""


class Pace(NamedTuple):
    """Intervals and retries for reading the logs of a stack."""

    poll_seconds: float
    sources_seconds: float
    """Interval at which new functions are looked for."""
    late_ms: int
    """Delay with which a line may arrive after a newer one."""
    retries: Config


_LOCAL = Pace(0.5, 5, 2_000, Config(retries={"total_max_attempts": 2}))
_DEPLOYED = Pace(2, 60, 30_000, Config(retries={"mode": "adaptive", "total_max_attempts": 10}))
"""Slower: FilterLogEvents has a quota of a few calls a second for the whole account."""


def main() -> int:
    """Prints log lines; 1 with a sentence if it fails."""
    try:
        return stack_target.run_command(_arguments(), _logs)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # the reader has enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.logs", description=__doc__)
    stack_target.add_arguments(parser)
    parser.add_argument(
        "--request", default="", help="the request_id of a problem, or the header x-request-id"
    )
    parser.add_argument("--run", default="", help="the run_id; includes the lines of its items")
    parser.add_argument("--workflow", default="", help="the name of a workflow")
    parser.add_argument("--follow", action="store_true", help="shows new lines until Ctrl-C")
    return parser.parse_args()


def _logs(arguments: argparse.Namespace) -> str:
    line_filter = LineFilter(arguments.request, arguments.run, arguments.workflow)
    line_filter.refuse_invalid()
    pace = _LOCAL if arguments.env == "local" else _DEPLOYED
    logs, sources = boto3.client("logs", config=pace.retries), stack_sources(arguments.env)
    _refuse_unknown(line_filter.workflow, sources)
    now_ms = int(time.time() * 1000)
    lines = _recent(logs, sources, line_filter, now_ms)
    if lines:
        _print(lines)
    if arguments.follow:
        tail = Tail(logs, line_filter, now_ms - pace.late_ms, pace.late_ms)
        _print([line for line in tail.new(sources) if line not in lines])
        _follow(tail, arguments.env, pace)
    return "" if lines else f"No log line of the last 8 days matches {line_filter}."


def _refuse_unknown(workflow: str, sources: list[Source]) -> None:
    names = sorted(source.workflow for source in sources if source.workflow)
    if workflow and workflow not in names:
        raise ValueError(f"There is no workflow {workflow!r}. There are: {', '.join(names)}.")


def _recent(logs: Any, sources: list[Source], line_filter: LineFilter, now_ms: int) -> list[Line]:  # noqa: ANN401 - boto3's client
    """All lines of a run; otherwise the lines of the shortest span that has any.

    Without a request, only the last ones.
    """
    spans = _SPANS_SECONDS[-1:] if line_filter.run else _SPANS_SECONDS
    for seconds in spans:
        lines = read(logs, sources, line_filter, now_ms - seconds * 1000, now_ms)
        if lines:
            return lines if line_filter.run or line_filter.request else lines[-LAST_LINES:]
    return []


def _follow(tail: Tail, env: str, pace: Pace) -> NoReturn:
    """Shows new lines until Ctrl-C, also those of functions that are added meanwhile."""
    while True:
        sources, until = stack_sources(env), time.monotonic() + pace.sources_seconds
        while time.monotonic() < until:
            time.sleep(pace.poll_seconds)
            _print(tail.new(sources))


def _print(lines: list[Line]) -> None:
    coloured = is_coloured(sys.stdout)
    for line in lines:
        print(shown(line, coloured=coloured))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
