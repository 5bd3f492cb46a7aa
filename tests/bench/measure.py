"""Measurement: cold starts and warm calls of all subjects, interleaved in rounds.

Each round starts every subject anew and then calls them in turn, a few calls each. So a busy moment
of the machine hits all of them.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from infra import sam
from infra.runtime import FunctionFailed, LambdaFunction, LambdaProcess, Runtime
from tests.bench.artifacts import installed, zip_bytes
from tests.bench.aws.server import AwsStandIn
from tests.bench.figures import Figures
from tests.bench.jobs.events import SECRETS
from tests.bench.subjects import EMPTY, Subject

_BLOCK = 10
"""Warm calls of one subject before the next one's turn."""
_IMPORT = re.compile(r"^import time: +\d+ \| +\d+ \| +(\S+)$", re.MULTILINE)


class _Running(NamedTuple):
    """A started subject and its stand-in."""

    subject: Subject
    figures: Figures
    aws: AwsStandIn
    process: LambdaProcess

    def call(self, number: int) -> float:
        """Calls it; returns the seconds to the answer. Raises `FunctionFailed` for a wrong one."""
        event = self.subject.event(self.aws, number)
        answer, seconds = self.process.invoke(event)
        if not self.subject.job.done(answer):
            raise FunctionFailed(f"a wrong answer: {answer}\n{self.process.log()}")
        return seconds


def measure(
    subjects: Sequence[Subject],
    runtime: Runtime,
    *,
    rounds: int,
    calls: int,
    tell: Callable[[str], None],
) -> dict[Subject, Figures]:
    """Measures subjects.

    Args:
        subjects: in the order of the table.
        runtime: interpreter and runtime client.
        rounds: cold starts of each.
        calls: warm calls of each in a round.
        tell: is told how far it is.

    Raises:
        FunctionFailed: a function failed or gave a wrong answer.
    """
    figures = {subject: Figures() for subject in subjects}
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        # Each round begins with another subject, as the first one finds other caches.
        turn = number % len(subjects)
        _round([*subjects[turn:], *subjects[:turn]], figures, runtime, calls)
    tell("imports and sizes")
    sizes = {folder: zip_bytes(folder) for folder in {each.folder for each in subjects}}
    empty = dataclasses.replace(
        subjects[0], handler=EMPTY, folder=installed("nothing", runtime.python)
    )
    base = _imports(empty, runtime)
    for subject, about in figures.items():
        about.zip_bytes = sizes[subject.folder]
        about.modules = len(_imports(subject, runtime) - base)
    return figures


def _round(
    subjects: Sequence[Subject],
    figures: Mapping[Subject, Figures],
    runtime: Runtime,
    calls: int,
) -> None:
    with ExitStack() as stack:
        running = []
        for subject in subjects:
            aws, process = stack.enter_context(_process(subject, runtime))
            running.append(_Running(subject, figures[subject], aws, process))
            _start(running[-1])
        for start in range(0, calls, _BLOCK):
            for each in running:
                for number in range(start, min(start + _BLOCK, calls)):
                    _call(each, number + 1)
        for each in running:
            _end(each, calls)


def _start(running: _Running) -> None:
    init_seconds = running.process.start()
    running.figures.cold_wall.append(init_seconds + running.call(0))
    running.figures.cold_cpu.append(running.process.cpu_seconds())
    running.figures.first_requests = running.aws.requests.total()


def _call(running: _Running, number: int) -> None:
    before = running.process.cpu_seconds()
    running.figures.warm_wall.append(running.call(number))
    running.figures.warm_cpu.append(running.process.cpu_seconds() - before)


def _end(running: _Running, calls: int) -> None:
    later = running.aws.requests.total() - running.figures.first_requests
    running.figures.next_requests = later / calls
    if usage := running.process.close():
        running.figures.peak_bytes.append(usage.peak_memory_bytes)


@contextmanager
def _process(
    subject: Subject, runtime: Runtime, variables: Mapping[str, str] | None = None
) -> Iterator[tuple[AwsStandIn, LambdaProcess]]:
    """A process of a subject and its stand-in, which holds nothing yet."""
    with AwsStandIn(table_keys(), SECRETS) as aws:
        about = {**subject.variables, "AWS_ENDPOINT_URL": aws.url, **(variables or {})}
        function = LambdaFunction(subject.job.name, subject.folder, subject.handler, about)
        with LambdaProcess(function, runtime) as process:
            yield aws, process


def _imports(subject: Subject, runtime: Runtime) -> set[str]:
    """Names of all modules that a process has imported when its init ends."""
    profiled = {"PYTHONPROFILEIMPORTTIME": "1"}
    with _process(subject, runtime, profiled) as (_, process):
        process.start()
        return imported(process.log())


def imported(log: str) -> set[str]:
    """Names of modules in the output of Python's `-X importtime`."""
    return set(_IMPORT.findall(log))


def table_keys() -> dict[str, list[str]]:
    """Names of the key attributes by table, from template.yaml."""
    resources = sam.read_template()["Resources"]
    return {
        name: [key["AttributeName"] for key in about["Properties"]["KeySchema"]]
        for name, about in resources.items()
        if about["Type"] == "AWS::DynamoDB::Table"
    }
