"""The table of results: one row a subject, ratios to the floor of its job."""

from collections.abc import Mapping, Sequence
from statistics import median, quantiles

from infra import pages
from tests.bench.figures import Figures
from tests.bench.subjects import Subject

_TIMES = "×"  # noqa: RUF001 - the sign of a ratio
_HEAD = (
    "job",
    "function",
    "cold CPU, ms",
    _TIMES,
    "warm CPU, ms",
    _TIMES,
    "cold, ms",
    "warm, ms",
    "peak, MiB",
    "zip, MB",
    "requests",
    "modules",
)
_MEBIBYTE, _MEGABYTE = 1024**2, 1_000_000


def lower_quartile(values: Sequence[float]) -> float:
    """Value that a quarter of the values are below: what a less busy machine would take."""
    return quantiles(values, n=4, method="inclusive")[0] if len(values) > 1 else values[0]


def table(figures: Mapping[Subject, Figures]) -> str:
    """Markdown, in the order of the figures."""
    floors = {
        subject.job.name: about for subject, about in figures.items() if subject.kind == "floor"
    }
    rows = [_row(subject, about, floors[subject.job.name]) for subject, about in figures.items()]
    return pages.table(_HEAD, rows, "ll" + "r" * (len(_HEAD) - 2))


def _row(subject: Subject, about: Figures, floor: Figures) -> tuple[str, ...]:
    cells = (
        subject.job.name,
        subject.label,
        _milliseconds(about.cold_cpu, 0),
        _ratio(about.cold_cpu, floor.cold_cpu),
        _milliseconds(about.warm_cpu, 2),
        _ratio(about.warm_cpu, floor.warm_cpu),
        f"{median(about.cold_wall) * 1000:.0f}",
        f"{median(about.warm_wall) * 1000:.2f}",
        f"{median(about.peak_bytes) / _MEBIBYTE:.0f}",
        f"{about.zip_bytes / _MEGABYTE:.1f}",
        f"{about.first_requests}, {about.next_requests:.3g}",
        f"{about.modules}",
    )
    return tuple(f"**{each}**" for each in cells) if subject.kind == "ours" else cells


def _milliseconds(seconds: Sequence[float], digits: int) -> str:
    """Lower quartile, and median in brackets."""
    low, middle = lower_quartile(seconds) * 1000, median(seconds) * 1000
    return f"{low:.{digits}f} ({middle:.{digits}f})"


def _ratio(values: Sequence[float], floor: Sequence[float]) -> str:
    return f"{lower_quartile(values) / lower_quartile(floor):.2f}"
