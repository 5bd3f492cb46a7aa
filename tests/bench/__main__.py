"""`make bench`: what calls cost, beside plain botocore and other frameworks."""

import argparse
import sys
from datetime import UTC, datetime

from infra.build import find_python, installed_client
from infra.plan.bench_page import PAGE
from infra.runtime import FunctionFailed, Runtime
from infra.sam import read_template
from tests.bench import lists
from tests.bench.artifacts import NotInstalled, changed_since_build
from tests.bench.jobs.job import JOBS
from tests.bench.measure import measure
from tests.bench.page import Machine, part, part_about_lists, replaced
from tests.bench.subjects import subjects
from tests.bench.table import table

_LISTS = "lists"


def main() -> int:
    """Measures and prints; 1 with a sentence if that fails."""
    options = _options()
    try:
        _bench(options)
    except (NotInstalled, FunctionFailed, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    names = [*(job.name for job in JOBS), _LISTS]
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=[],
        help=f"jobs, comma-separated: {', '.join(names)}; docs/performance.md stays as it is",
    )
    parser.add_argument("--rounds", type=int, default=14, help="cold starts of each")
    parser.add_argument("--calls", type=int, default=20, help="warm calls of each in a round")
    options = parser.parse_args()
    if unknown := set(options.only).difference(names):
        parser.error(f"--only: no job is called {', '.join(sorted(unknown))}")
    if min(options.rounds, options.calls) < 1:
        parser.error("--rounds and --calls are 1 or more")
    return options


def _bench(options: argparse.Namespace) -> None:
    if options.only != [_LISTS]:
        _bench_calls(options)
    if not options.only or _LISTS in options.only:
        _bench_lists(options)
    if not options.only:
        print(
            f"\nwritten to docs/{PAGE.name}; make plan computes docs/explanation/capacity.md of it"
        )


def _bench_lists(options: argparse.Namespace) -> None:
    machine = Machine.now()
    made = lists.table(lists.measure_lists(_tell))
    _show(part_about_lists(made, machine, datetime.now(UTC).date()), options, "table of lists")


def _show(text: str, options: argparse.Namespace, about: str = "lines") -> None:
    print(text)
    if not options.only:
        PAGE.write_text(replaced(PAGE.read_text(), text, about))


def _bench_calls(options: argparse.Namespace) -> None:
    name = read_template()["Globals"]["Function"]["Runtime"]
    python = find_python(name)
    if python is None:
        raise NotInstalled(f"make bench needs a working {name} on PATH.")
    wanted = subjects([name for name in options.only if name != _LISTS], python)
    for folder in sorted({each.folder for each in wanted if each.kind == "ours"}):
        if changed := changed_since_build(folder):
            print(f"note: {folder.name} is older than {', '.join(changed[:3])}: make build")
    machine = Machine.now()
    runtime = Runtime(python, installed_client(python))
    counts = {"rounds": options.rounds, "calls": options.calls}
    made = table(measure(wanted, runtime, tell=_tell, **counts))
    _show(part(made, machine, datetime.now(UTC).date(), **counts), options)


def _tell(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
