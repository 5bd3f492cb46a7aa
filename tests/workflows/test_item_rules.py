"""Rules of items: their attempts, their keys, the runs above them and those they continue."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core import clock as times
from functions.core.errors import Conflict, TooDeep, Unavailable
from functions.core.runs import cancellation, execution
from functions.core.runs.files import read_references
from functions.core.runs.items import attempts, outcomes
from functions.core.runs.items.attempts import LEASE_SECONDS, Attempt
from functions.core.runs.lineage import Lineage
from functions.core.runs.records import Counts
from functions.core.runs.retry import retry
from functions.core.runs.run import cancel, describe
from functions.core.runs.start import start
from functions.core.triggers.run_item import WillTryAgain
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.core.workflow.other_workflows import start as start_other
from tests.builders import Context
from tests.builders.run_items import RUN_ID, delivery, outcome
from tests.builders.run_records import close
from tests.workflows.conftest import Clock, Settings

pytestmark = pytest.mark.usefixtures("cloud")

KEEP = 1_900_000_000


class Sync(Parameters):
    user_id: str | None = None


class Synced(Result):
    user_id: str | None


class Syncs:
    """A workflow that notes what it does."""

    def __init__(self, **options: Any) -> None:
        self.done: list[str | None] = []
        self.calls: list[Call] = []
        self.do: Callable[[], object] = lambda: None
        self.handler = workflow(self.sync, **options)

    def sync(self, parameters: Sync, call: Call) -> Synced:
        self.done.append(parameters.user_id)
        self.calls.append(call)
        self.do()
        return Synced(user_id=parameters.user_id)

    def deliver(self, parameters: dict[str, Any] | None = None, **fields: Any) -> str:
        event = delivery(parameters or {"user_id": "u1"}, **fields)
        return str(self.handler(event, Context(245_000))["status"])


def unavailable() -> None:
    raise Unavailable("Later.")


def test_a_workflow_has_as_many_attempts_as_it_says() -> None:
    syncs = Syncs(retries=1)
    syncs.do = unavailable
    with pytest.raises(WillTryAgain):
        syncs.deliver()
    assert syncs.deliver() == "failed"
    assert (outcome().status, outcome().attempts, len(syncs.done)) == ("failed", 2, 2)


def test_a_crash_is_an_attempt_too(clock: Clock) -> None:
    """The process of the only attempt has died; Step Functions calls again."""
    assert isinstance(attempts.claim(RUN_ID, 1, KEEP), Attempt)
    clock.advance(LEASE_SECONDS + 1)
    syncs = Syncs(retries=0)
    assert syncs.deliver() == "failed"
    found = outcome().problem
    assert found
    assert (syncs.done, found.code) == ([], "item_crashed")


def test_an_item_shows_when_its_next_attempt_comes_and_nothing_of_that_at_its_end() -> None:
    syncs = Syncs()
    syncs.do = unavailable
    with pytest.raises(WillTryAgain):
        syncs.deliver()
    assert outcome().next_attempt_by is not None
    syncs.do = lambda: None
    assert syncs.deliver() == "succeeded"
    assert (outcome().next_attempt_by, outcome().problem) == (None, None)


def test_an_attempt_ends_after_the_seconds_that_the_workflow_says() -> None:
    syncs = Syncs(timeout=1)

    def hangs() -> None:
        while True:
            pass

    syncs.do = hangs
    assert syncs.deliver() == "failed"
    found = outcome().problem
    assert found
    assert found.code == "too_slow"


@pytest.mark.parametrize(
    "options",
    [
        {"retries": 6},
        {"retries": -1},
        {"timeout": 0},
        {"timeout": 241},
        {"one_per": "nothing"},
        {"one_per": "user_id", "background": False},
    ],
)
def test_options_that_no_run_could_keep_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|one_per"):
        Syncs(**options)


def test_of_two_items_with_one_key_the_second_is_skipped_and_says_so() -> None:
    syncs = Syncs(one_per="user_id")
    other: list[str] = []
    syncs.do = lambda: other.append(syncs.deliver(run_id="sync.b", origin_run_id="sync.b"))
    assert (syncs.deliver(), other) == ("succeeded", ["skipped"])
    skipped = outcome("sync.b")
    assert skipped.problem
    assert (skipped.status, skipped.result, skipped.problem.code) == ("skipped", None, "skipped")
    assert "user_id" in skipped.problem.detail
    assert syncs.done == ["u1"]
    assert outcomes.tally("sync.b").skipped == 1
    assert syncs.deliver(run_id="sync.b", origin_run_id="sync.b") == "skipped"
    assert outcomes.tally("sync.b").skipped == 1


def test_a_key_is_free_again_when_its_item_has_ended_well_or_badly() -> None:
    syncs = Syncs(one_per="user_id")

    def refuses() -> None:
        raise Conflict("It is so.")

    for number, (do, status) in enumerate(
        [(lambda: None, "succeeded"), (refuses, "failed"), (lambda: None, "succeeded")]
    ):
        syncs.do = do
        assert syncs.deliver(run_id=f"sync.{number}", origin_run_id=f"sync.{number}") == status


def test_an_item_keeps_its_key_between_its_attempts_and_no_longer_than_all_of_them(
    clock: Clock,
) -> None:
    syncs = Syncs(one_per="user_id")
    syncs.do = unavailable
    with pytest.raises(WillTryAgain):
        syncs.deliver()
    syncs.do = lambda: None
    assert syncs.deliver(run_id="sync.b", origin_run_id="sync.b") == "skipped"
    clock.advance(300)
    started_at = datetime.fromtimestamp(times.now(), UTC).isoformat()
    later = syncs.deliver(run_id="sync.c", origin_run_id="sync.c", started_at=started_at)
    assert later == "succeeded"


def test_other_keys_and_items_without_one_are_not_held_back() -> None:
    syncs = Syncs(one_per="user_id")
    others: list[str] = []

    def deliver_others() -> None:
        if len(syncs.done) > 1:
            return
        without: list[dict[str, Any]] = [{"user_id": "u2"}, {"user_id": None}]
        for number, parameters in enumerate(without):
            run_id = f"sync.{number}"
            others.append(syncs.deliver(parameters, run_id=run_id, origin_run_id=run_id))

    syncs.do = deliver_others
    assert syncs.deliver() == "succeeded"
    assert others == ["succeeded", "succeeded"]


def test_items_below_a_run_stop_if_it_is_cancelled_with_its_descendants() -> None:
    syncs = Syncs()
    below: dict[str, Any] = {
        "lineage": {"ancestors": ["onboard.a", "import.b"], "index": 0, "depth": 2}
    }
    cancellation.cancel("import.b")
    assert syncs.deliver(**below) == "succeeded", "it was cancelled alone"
    cancellation.cancel("onboard.a", descendants=True)
    assert syncs.deliver(run_id="sync.b", origin_run_id="sync.b", **below) == "cancelled"
    assert len(syncs.done) == 1


def test_what_an_item_starts_is_below_it_and_one_level_deeper() -> None:
    syncs = Syncs(starts=["greet"])
    started: list[str] = []
    syncs.do = lambda: started.append(start_other("greet", [{"name": "Ana"}]).run_id)
    assert (
        syncs.deliver(lineage={"ancestors": ["onboard.a"], "index": 4, "depth": 3}) == "succeeded"
    )
    begun, _ = execution.read(started[0])
    assert (begun.lineage.ancestors, begun.lineage.index, begun.lineage.depth) == (
        ("onboard.a", RUN_ID),
        1,
        4,
    )
    assert describe(started[0]).started_by.id == RUN_ID


def test_a_workflow_that_starts_itself_without_an_end_is_stopped(settings: Settings) -> None:
    syncs = Syncs(starts=["sync"])
    syncs.do = lambda: start_other("sync", [{"user_id": "u1"}])
    assert syncs.deliver(lineage={"depth": 9}) == "succeeded"
    deep: dict[str, Any] = {"run_id": "sync.b", "origin_run_id": "sync.b", "lineage": {"depth": 10}}
    assert syncs.deliver(**deep) == "failed"
    found = outcome("sync.b").problem
    assert found
    assert (found.code, found.status) == ("too_deep", 409)
    settings.set(MAX_DEPTH=11)
    assert syncs.deliver(**deep | {"run_id": "sync.c", "origin_run_id": "sync.c"}) == "succeeded"


def test_a_call_of_a_call_counts_as_deep_as_a_start() -> None:
    syncs = Syncs(starts=["sync"])
    syncs.do = lambda: start_other("sync", [{"user_id": "u1"}])
    event = {"trigger": "direct", "parameters": {"user_id": "u1"}, "lineage": {"depth": 10}}
    assert syncs.handler(event, Context())["problem"]["code"] == "too_deep"
    with pytest.raises(TooDeep):
        start("sync", [{}], token_id=None, lineage=Lineage(depth=11))


def continued() -> tuple[str, str]:
    """Ids of a cancelled run of four items, two of which have succeeded, and of its retry."""
    run = start("sync", [{"user_id": f"u{n}"} for n in range(4)], token_id=None)
    for index in (0, 2):
        attempt = attempts.claim(run.run_id, index, KEEP)
        assert isinstance(attempt, Attempt)
        attempt.succeed('{"user_id": "before"}')
    cancel(run.run_id)
    return run.run_id, retry(run.run_id, token_id=None).run_id


def test_the_retry_of_a_cancelled_run_has_all_items_and_repeats_none_that_succeeded() -> None:
    earlier, run_id = continued()
    begun, _ = execution.read(run_id)
    assert (begun.total, begun.lineage.continues) == (4, (earlier,))
    syncs = Syncs()
    lineage = {"continues": [earlier]}
    for reference in read_references(begun.references_key):
        fields = {
            "items_key": begun.items_key,
            "start": reference.start,
            "length": reference.length,
            "index": reference.index,
        }
        event = delivery(run_id=run_id, origin_run_id=earlier, lineage=lineage) | fields
        assert syncs.handler(event, Context(245_000)) == {"status": "succeeded"}
    assert syncs.done == ["u1", "u3"]
    results = [each.result for each in outcomes.list_outcomes(run_id)[0]]
    assert [each["user_id"] for each in results] == ["before", "u1", "before", "u3"]


def test_a_retry_waits_for_an_item_on_which_the_cancelled_run_still_works(clock: Clock) -> None:
    syncs = Syncs()
    assert isinstance(attempts.claim("sync.a", 1, KEEP), Attempt)
    again = {"lineage": {"continues": ["sync.a"]}}
    with pytest.raises(WillTryAgain, match="unavailable"):
        syncs.deliver(**again)
    assert syncs.done == []
    clock.advance(LEASE_SECONDS + 1)
    assert syncs.deliver(**again) == "succeeded"


def test_the_retry_of_a_run_that_broke_off_continues_it_too() -> None:
    run = start("sync", [{"user_id": f"u{n}"} for n in range(3)], token_id=None)
    attempt = attempts.claim(run.run_id, 0, KEEP)
    assert isinstance(attempt, Attempt)
    attempt.succeed("{}")
    close(run.run_id, Counts(succeeded=1, failed=0))
    assert retry(run.run_id, token_id=None).total == 3


def test_a_run_of_skipped_items_has_succeeded_and_counts_them() -> None:
    run = start("sync", [{"user_id": "u1"}], token_id=None)
    syncs = Syncs(one_per="user_id")
    syncs.do = lambda: syncs.deliver(run_id=run.run_id, origin_run_id=run.run_id, index=0)
    assert syncs.deliver() == "succeeded"
    shown = describe(run.run_id)
    assert (shown.status, shown.skipped, shown.succeeded, shown.pending) == ("succeeded", 1, 0, 0)
