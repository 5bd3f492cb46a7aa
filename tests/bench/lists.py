"""Start of runs over long lists: CPU and memory of one process, from the upload to its execution.

The parent makes the list and is AWS. A process of its own reads the list, as POST /runs does after
the check of its first items: `python -m tests.bench.lists <format>`.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, cast, get_args

from functions.api.runs.lists import read_items
from functions.core.runs.start import start
from functions.core.runs.uploads import Format, Upload
from infra import pages, sam
from tests.bench.aws.server import AwsStandIn
from tests.bench.jobs.job import RUNS
from tests.bench.jobs.requests import TOKEN_ID
from tests.bench.measure import table_keys

SIZES = (10_000, 100_000, 1_000_000)
"""Items of a list; the last is the most that an upload may have."""
_KIBIBYTE, _MEBIBYTE, _MEGABYTE = 1024, 1024**2, 1_000_000
_HEAD = ("format", "items", "file, MB", "CPU, s", "CPU an item, µs", "peak, MiB", "writes to S3")
_UPLOAD = f"{'0' * 32}."


class Started(NamedTuple):
    """A start that was measured."""

    kind: Format
    items: int
    file_bytes: int
    cpu_seconds: float
    peak_bytes: int
    s3_writes: int

    @property
    def row(self) -> tuple[str, ...]:
        """Cells of the table."""
        return (
            self.kind,
            f"{self.items:,}",
            f"{self.file_bytes / _MEGABYTE:.1f}",
            f"{self.cpu_seconds:.1f}",
            f"{self.cpu_seconds / self.items * 1e6:.0f}",
            f"{self.peak_bytes / _MEBIBYTE:.0f}",
            f"{self.s3_writes}",
        )


def list_of(kind: Format, items: int) -> bytes:
    """A list of emails, as an upload."""
    if kind == "csv":
        rows = (f"ana{number}@example.com,message,Ana,Vienna" for number in range(items))
        return "\n".join(["to,template,data.first_name,data.city", *rows]).encode()
    lines = (
        f'{{"to": "ana{number}@example.com", "template": "message", '
        f'"data": {{"first_name": "Ana", "city": "Vienna"}}}}'
        for number in range(items)
    )
    return (f"[{','.join(lines)}]" if kind == "json" else "\n".join(lines)).encode()


def measure_lists(tell: Callable[[str], None], sizes: Iterable[int] = SIZES) -> list[Started]:
    """Starts of lists of each format and size."""
    found = []
    for kind in get_args(Format):
        for items in sizes:
            tell(f"a list of {items:,} items, {kind}")
            found.append(_measure(kind, items))
    return found


def table(starts: Sequence[Started]) -> str:
    """Markdown."""
    return pages.table(_HEAD, [each.row for each in starts], "l" + "r" * (len(_HEAD) - 1))


def _measure(kind: Format, items: int) -> Started:
    content = list_of(kind, items)
    with AwsStandIn(table_keys(), {}) as aws:
        aws.objects[f"/runs/uploads/{TOKEN_ID}/{_UPLOAD}{kind}"] = content
        told = subprocess.run(
            [sys.executable, "-m", "tests.bench.lists", kind],
            cwd=sam.ROOT,
            env={**RUNS, **_CREDENTIALS, "AWS_ENDPOINT_URL": aws.url},
            check=True,
            capture_output=True,
        )
        total, seconds, peak = json.loads(told.stdout.splitlines()[-1])
        assert total == items, f"{total} of {items} items were started"
        return Started(kind, items, len(content), seconds, peak, aws.requests["PutObject"])


_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "runs",
    "POWERTOOLS_METRICS_NAMESPACE": "Bench",
}


def main() -> None:
    """Starts a run and prints its items, the seconds of CPU, and the peak of memory in bytes."""
    kind = cast("Format", sys.argv[1])
    begun = time.process_time()
    with closing(Upload(TOKEN_ID, f"{_UPLOAD}{kind}").open()) as stream:
        run = start(
            "send_email_template",
            read_items(stream, kind),
            token_id=TOKEN_ID,
            started_by="api",
            lenient=kind == "csv",
        )
    seconds = time.process_time() - begun
    # getrusage would tell the parent's peak, if that was higher before it started this process.
    peak = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(json.dumps([run.total, seconds, int(peak[0]) * _KIBIBYTE]))


if __name__ == "__main__":
    main()
