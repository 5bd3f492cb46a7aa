"""`make logs`: the log lines of a request, a run or a workflow, or the last ones of all functions, here and on AWS."""

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
from infra.logs.sources import deployed_sources, local_sources
from infra.logs.text import is_coloured, shown

LAST_LINES = 100
"""Shown where neither a request nor a run is asked for."""
_SPANS_SECONDS = (10 * 60, 3600, 86_400, 8 * 86_400)
"""Looked at one after the other until lines are found. Items of a run are kept for 7 days, so it logs no longer."""


class Pace(NamedTuple):
    """How a place is read."""

    poll_seconds: float
    sources_seconds: float
    """After which functions that are new are looked for."""
    late_ms: int
    """How much later than a newer line one may arrive."""
    retries: Config


_LOCAL = Pace(0.5, 5, 2_000, Config(retries={"total_max_attempts": 2}))
_DEPLOYED = Pace(2, 60, 30_000, Config(retries={"mode": "adaptive", "total_max_attempts": 10}))
"""FilterLogEvents is allowed a few times a second, for the whole account."""


def main() -> int:
    """Prints lines; 1 with a sentence when it cannot."""
    try:
        return stack_target.run_command(_arguments(), _logs)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # whoever read them has read enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.logs", description=__doc__)
    stack_target.add_arguments(parser)
    parser.add_argument(
        "--request", default="", help="the request_id of a problem, or the header x-request-id"
    )
    parser.add_argument("--run", default="", help="the run_id; its items' lines are among them")
    parser.add_argument("--workflow", default="", help="the name of a workflow")
    parser.add_argument(
        "--follow", action="store_true", help="goes on with the lines that come, until Ctrl-C"
    )
    return parser.parse_args()


def _logs(arguments: argparse.Namespace) -> str:
    line_filter = LineFilter(arguments.request, arguments.run, arguments.workflow)
    line_filter.refuse_invalid()
    pace = _LOCAL if arguments.env == "local" else _DEPLOYED
    logs, sources = boto3.client("logs", config=pace.retries), _sources(arguments.env)
    _refuse_unknown(line_filter.workflow, sources)
    now_ms = int(time.time() * 1000)
    lines = _recent(logs, sources, line_filter, now_ms)
    if lines:
        _print(lines)
    if arguments.follow:
        tail = Tail(logs, line_filter, now_ms - pace.late_ms, pace.late_ms)
        _print([line for line in tail.new(sources) if line not in lines])
        _follow(tail, arguments.env, pace)
    return "" if lines else f"No log line of the last 8 days is of {line_filter}."


def _sources(env: str) -> list[Source]:
    if env == "local":
        return local_sources(boto3.client("lambda"), stack_target.stack_name(env))
    return deployed_sources(boto3.client("cloudformation"), stack_target.stack_name(env))


def _refuse_unknown(workflow: str, sources: list[Source]) -> None:
    names = sorted(source.workflow for source in sources if source.workflow)
    if workflow and workflow not in names:
        raise ValueError(f"There is no workflow {workflow!r}. There are: {', '.join(names)}.")


def _recent(logs: Any, sources: list[Source], line_filter: LineFilter, now_ms: int) -> list[Line]:  # noqa: ANN401 - boto3's client
    """All lines of a run; else those of the shortest span that has any, of which only a request's are all shown."""
    spans = _SPANS_SECONDS[-1:] if line_filter.run else _SPANS_SECONDS
    for seconds in spans:
        lines = read(logs, sources, line_filter, now_ms - seconds * 1000, now_ms)
        if lines:
            return lines if line_filter.run or line_filter.request else lines[-LAST_LINES:]
    return []


def _follow(tail: Tail, env: str, pace: Pace) -> NoReturn:
    """Until Ctrl-C. Functions that are new since are followed too."""
    while True:
        sources, until = _sources(env), time.monotonic() + pace.sources_seconds
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
