"""The plan's tables, as markdown."""

from collections.abc import Iterable, Mapping

from infra.pages import table
from infra.plan import lists, loads, memory
from infra.plan.bench_page import Measured
from infra.plan.keys import keys
from infra.plan.lists import Plan
from infra.plan.loads import Use, by_load

Table = Mapping[str, Measured]

_SMALL = 10


def verifications(measured: Table, a_second: float) -> str:
    """Quotas in the order in which verifications reach them."""
    return _uses(loads.verification(measured), "verifications", a_second)


def background_calls(measured: Table, a_second: float) -> str:
    """Quotas in the order in which background calls reach them."""
    return _uses(loads.background_call(measured), "calls", a_second)


def items(measured: Table, a_second: float) -> str:
    """Quotas in the order in which items of one list reach them."""
    return _uses(loads.item(measured), "items", a_second)


def long_lists(measured: Table, sizes: Iterable[int] = lists.SIZES) -> str:
    """Time of long lists."""
    seconds = loads.item_seconds(measured)
    plans = [Plan(size, at_once, seconds) for size in sizes for at_once in lists.AT_ONCE]
    head = ("items", "lists", "at once", "items a second", "time", "held up by")
    return table(head, [_plan(each) for each in plans], "rrrrrl")


def item_costs(measured: Table) -> str:
    """Cost of a million items by service, the dearest first."""
    costs = sorted(lists.item_usd(measured).items(), key=lambda each: -each[1])
    rows = [(name, f"{usd:.2f}") for name, usd in costs]
    total = sum(usd for _, usd in costs)
    return table(("a million items", "USD"), [*rows, ("**together**", f"**{total:.2f}**")], "lr")


def hot_keys() -> str:
    """Keys that get hot, the first one first."""
    head = ("full at, a second", "of", "key", "table", "because")
    rows = [
        (_number(each.reached_at), each.thing, each.name, each.table, each.why) for each in keys()
    ]
    return table(head, rows, "rllll")


def memories(measured: Table) -> str:
    """Time and cost by memory; what the plan chooses is bold."""
    head = (
        "function",
        "memory, MB",
        "vCPU",
        "cold, ms",
        "warm, ms",
        "USD a million, x86_64",
        "arm64",
    )
    return table(
        head, [cells for each in memory.FUNCTIONS for cells in _sizes(each, measured)], "lrrrrrr"
    )


def _sizes(function: memory.Function, measured: Table) -> list[tuple[str, ...]]:
    about = measured[function.job]
    chosen = memory.chosen(function, about)
    return [
        _bold(_size(memory.row(function, about, size)), bold=size == chosen)
        for size in memory.MEGABYTES
    ]


def _size(row: memory.Row) -> tuple[str, ...]:
    return (
        row.function.job,
        f"{row.megabytes:,}",
        f"{row.share:.2f}",
        f"{row.cold_seconds * 1000:,.0f}",
        f"{row.warm_seconds * 1000:.0f}",
        f"{row.usd():.2f}",
        f"{row.usd('arm64'):.2f}",
    )


def _uses(uses: Iterable[Use], things: str, a_second: float) -> str:
    head = (
        f"reached at, {things} a second",
        "quota",
        "default",
        f"at {_number(a_second)} a second",
        "raised",
    )
    return table(head, [_use(use, a_second) for use in by_load(uses)], "rlrrl")


def _use(use: Use, a_second: float) -> tuple[str, ...]:
    quota, taken = use.quota, use.taken(a_second)
    only = f" ({use.only})" if use.only else ""
    cells = _bold((_number(taken),), bold=taken > quota.value)
    return (
        _number(use.reached_at),
        f"[{quota.service}]({quota.source}): {quota.name}{only}",
        f"{_number(quota.value)} {quota.unit}",
        *cells,
        quota.remedy,
    )


def _plan(plan: Plan) -> tuple[str, ...]:
    hours, minutes = divmod(round(plan.seconds / 60), 60)
    return (
        f"{plan.items:,}",
        f"{plan.runs}",
        f"{plan.at_once:,}",
        f"{plan.a_second:,.0f}",
        f"{hours} h {minutes} min",
        plan.held_by,
    )


def _number(value: float) -> str:
    """A whole number, or two digits of a small one."""
    return f"{value:,.0f}" if value >= _SMALL else f"{value:.2g}"


def _bold(cells: tuple[str, ...], *, bold: bool) -> tuple[str, ...]:
    return tuple(f"**{each}**" for each in cells) if bold else cells
