"""The plan: its arithmetic, and the page that it writes."""

import pytest

from functions.core.rate_limits.counters import MOST_SHARDS
from infra import sam
from infra.plan import keys, lists, loads, memory, prices, quotas
from infra.plan.bench_page import PAGE as MEASURED
from infra.plan.bench_page import Measured, NotMeasured, measured
from infra.plan.lists import Plan
from infra.plan.loads import Use
from infra.plan.page import PAGE, parts, replaced

HEAD = "| job | function | warm CPU, ms | × | cold CPU, ms | × | peak, MiB | requests |"  # noqa: RUF001 - as the bench writes it
FAST = Measured(0.4, 0.004, 3, 1, 50)
(SEND,) = (each for each in memory.FUNCTIONS if each.job == "verify_send")
(CHECK,) = (each for each in memory.FUNCTIONS if each.job == "verify_check")


def test_the_page_is_what_make_plan_writes() -> None:
    page = PAGE.read_text()
    assert replaced(page, measured(MEASURED.read_text())) == page, "run make plan"


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="has lost its lines <!-- make plan writes: "):
        replaced("# Capacity\n", measured(MEASURED.read_text()))


def test_cpu_times_are_read_by_the_names_of_their_columns() -> None:
    page = (
        f"{HEAD}\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| verify_check | plain botocore | 2.43 (2.82) | 1 | 349 (378) | 1 | 46 | 2, 1 |\n"
        "| **verify_check** | **this project** | **3.48 (4.02)** | **1.43** | **394 (408)** "
        "| **1.13** | **49** | **2, 1** |\n"
    )
    assert measured(page) == {"verify_check": Measured(0.394, 0.00348, 2, 1, 49)}


@pytest.mark.parametrize(
    "page",
    ["# Performance\n", HEAD, f"{HEAD}\n| a | **this project** | none | 1 | 2 | 1 | 3 | 2, 1 |"],
)
def test_a_page_without_figures_is_refused(page: str) -> None:
    with pytest.raises(NotMeasured):
        measured(page)


def test_a_quota_is_reached_where_the_load_takes_all_of_it() -> None:
    use = Use(quotas.SCHEDULE_INVOCATIONS, 2)
    assert (use.reached_at, use.taken(100)) == (500, 200)


def test_quotas_are_told_in_the_order_in_which_they_are_reached() -> None:
    uses = loads.by_load(loads.verification(measured(MEASURED.read_text())))
    assert [use.reached_at for use in uses] == sorted(use.reached_at for use in uses)
    assert uses[0].quota.name == "`emails_per_day`"


def test_half_the_cpu_takes_twice_as_long_and_costs_the_same() -> None:
    """A function that never waits."""
    function = memory.Function("job", "Resource", (), ())
    whole, half = (memory.row(function, FAST, size) for size in (1769, 884))
    assert whole.warm_seconds == pytest.approx(0.004)
    assert half.warm_seconds == pytest.approx(0.008, rel=0.01)
    assert half.cold_seconds == pytest.approx(2 * whole.cold_seconds, rel=0.01)
    assert half.usd() == pytest.approx(whole.usd())


def test_more_memory_than_a_vcpu_has_is_no_faster() -> None:
    assert memory.share(3538) == memory.share(prices.MEGABYTES_OF_A_CPU) == 1


def test_a_million_calls_cost_their_requests_and_gigabyte_seconds() -> None:
    row = memory.Row(CHECK, 1024, cold_seconds=2, warm_seconds=0.010)
    assert row.warm_usd() == pytest.approx(0.20 + 10_000 * 0.0000166667)
    cold = 0.01 * 2 + 0.99 * 0.010
    assert row.usd("arm64") == pytest.approx(0.20 + 1e6 * cold * 0.0000133334)


@pytest.mark.parametrize("cpu_seconds", [0.001, 0.010, 0.050])
def test_the_choice_of_memory_does_not_depend_on_the_cpu(cpu_seconds: float) -> None:
    about = FAST._replace(warm_cpu_seconds=cpu_seconds)
    assert [memory.chosen(each, about) for each in (CHECK, SEND)] == [1769, 1024]


@pytest.mark.parametrize("function", memory.FUNCTIONS, ids=lambda each: each.job)
def test_the_template_has_the_memory_that_the_plan_chooses(function: memory.Function) -> None:
    about = measured(MEASURED.read_text())[function.job]
    assert loads.template_megabytes(function.resource) == memory.chosen(function, about)


def test_a_list_is_held_up_by_its_concurrency_or_by_the_partition_of_its_outcomes() -> None:
    slow, fast = (Plan(1_000_000, at_once, 0.1) for at_once in (20, 1_000))
    assert (slow.a_second, slow.held_by) == (200, "`max_concurrency`")
    assert (round(fast.a_second), fast.held_by) == (333, "partition of the outcomes")
    assert slow.seconds == 5_000


def test_several_lists_have_a_partition_each() -> None:
    assert Plan(10_000_000, 1_000, 0.1).runs == 10
    assert Plan(10_000_000, 1_000, 0.1).a_second == pytest.approx(10 * 1_000 / 3)


def test_a_key_of_several_records_takes_as_many_times_the_load() -> None:
    key = keys.Key("key", "Table", 2, "things")
    assert (key.reached_at, key._replace(records=MOST_SHARDS).reached_at) == (500, 128_000)


def test_few_sends_meet_another_one_on_a_counter() -> None:
    assert loads.counter_conflicts(1_000) < 0.05


def test_the_cost_of_an_item_is_the_sum_of_what_it_takes() -> None:
    costs = lists.item_usd({"run_item": FAST})
    assert costs["DynamoDB"] == pytest.approx(7 * 0.625 + 2 * 0.125)
    assert costs["SES"] == 100


@pytest.mark.parametrize(
    "price",
    [
        "0.0000166667",
        "0.20 a million requests",
        "0.625 a million write",
        "25.00 a million",
        "0.00001667",
    ],
)
def test_prices_are_those_that_the_costs_of_a_deployment_are_computed_with(price: str) -> None:
    assert price in (sam.ROOT / "docs/how-to/deploy.md").read_text()


def test_each_part_of_the_page_is_a_table() -> None:
    for table in parts(measured(MEASURED.read_text())).values():
        assert len({line.count(" | ") for line in table.splitlines()}) == 1, table
