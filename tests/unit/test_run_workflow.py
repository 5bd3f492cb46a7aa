"""Rules that infra/run_workflow.asl.yaml must keep wherever it runs. The e2e tests run it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from functions.core.definition.workflow import MOST_RETRIES
from functions.core.http.problems import Problem
from functions.core.runs.execution import Execution
from functions.core.triggers.run_item import (
    _FIRST_WAIT_SECONDS,
    _HANGS_SECONDS,
    _LONGEST_WAIT_SECONDS,
    BUDGET_SECONDS,
    ItemDelivery,
)
from infra import sam
from tests.builders.template import DEFINITION, MACHINE, SUBSTITUTIONS

MAPS = {name: DEFINITION["States"][name] for name in ("Many", "Paced")}
BRANCHES = {
    "Item": DEFINITION["States"],
    "OneOfMany": MAPS["Many"]["ItemProcessor"]["States"],
    "OnePaced": MAPS["Paced"]["ItemProcessor"]["States"],
}


def machines() -> Iterator[tuple[str, dict[str, Any]]]:
    yield DEFINITION["StartAt"], DEFINITION["States"]
    for state in MAPS.values():
        yield state["ItemProcessor"]["StartAt"], state["ItemProcessor"]["States"]


def item_states(branch: str) -> dict[str, Any]:
    """States that run an item, as in the branch of one item."""
    text = json.dumps(
        {
            name: state
            for name, state in BRANCHES[branch].items()
            if branch in name or f"Run{branch}" in name
        }
    )
    return dict(json.loads(text.replace(f"Run{branch}", "RunItem").replace(branch, "Item")))


def test_an_item_runs_alike_in_every_branch() -> None:
    assert item_states("OnePaced") == item_states("OneOfMany")
    child = item_states("OneOfMany")
    after = {"Next", "ResultPath", "Catch"}
    for name in ("RunItem", "ItemCrashed"):
        one, of_list = item_states("Item")[name], child[name]
        assert set(one) ^ set(of_list) <= after
        assert all(one[key] == of_list[key] for key in set(one) - after)


def test_an_item_of_a_list_leaves_to_wait_and_then_its_child_has_done_its_work() -> None:
    for branch in ("OneOfMany", "OnePaced"):
        states = item_states(branch)
        (waits,) = (each for each in states["ItemOutcome"]["Choices"] if "Leaves" in each["Next"])
        assert (waits["Variable"], waits["StringEquals"]) == ("$.item.answer.status", "waiting")
        assert states["ItemLeaves"]["Parameters"]["Payload"] == {
            "trigger": "leave",
            "execution.$": "$",
        }
        assert states["ItemLeaves"]["Next"] == "ItemSucceeded"
        assert states["ItemLeaves"]["Catch"][0]["Next"] == "ItemFailed"


def test_only_the_branch_for_one_item_and_the_end_of_a_run_can_loop() -> None:
    """A child of a Map ends within five minutes."""
    for start, states in machines():
        looping = {name for name in states if name in reached(states, nexts_of(states[name]))}
        if start == "Branch":
            one = {"RunItem", "ItemAnswered", "ItemSleeps", "ItemListens"}
            once = {"Branch", "WithoutLineage"}  # that state adds what it looks for
            assert looping - once == one | {"EndRun", "Ended", "RunWaits"}
        else:
            assert looping == set()


def nexts_of(state: dict[str, Any]) -> set[str]:
    return set(re.findall(r'"(?:Next|Default)": "(\w+)"', json.dumps(without_children(state))))


def reached(states: dict[str, Any], begin: set[str]) -> set[str]:
    """States that follow, however far."""
    found, new = set(begin), set(begin)
    while new:
        new = {name for each in new for name in nexts_of(states[each])} - found
        found |= new
    return found


def test_what_waits_is_not_tried_again_when_its_time_is_over() -> None:
    """States.TaskFailed is each error but that of a timeout."""
    for name, after in (("ItemListens", "RunItem"), ("RunWaits", "EndRun")):
        state = DEFINITION["States"][name]
        assert state["Resource"].endswith("lambda:invoke.waitForTaskToken")
        assert [each["ErrorEquals"] for each in state["Retry"]] == [["States.TaskFailed"]]
        assert (state["Next"], state["Catch"][0]["Next"]) == (after, after)
        assert "TimeoutSecondsPath" in state


def test_every_branch_ends_where_its_record_is_closed() -> None:
    """Also where reading the list fails, or the item's crash cannot be recorded."""
    states = DEFINITION["States"]
    for name in ("Many", "Paced", "ItemCrashed", "ItemLeaves"):
        assert states[name]["Next"] == "EndRun"
        assert states[name]["Catch"] == [
            {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "EndRun"}
        ]
    assert (states["RunItem"]["Next"], states["RunItem"]["ResultPath"]) == (
        "ItemAnswered",
        "$.item",
    )
    assert states["ItemAnswered"]["Choices"][0]["Next"] == "EndRun"
    assert states["EndRun"]["Parameters"]["Payload"] == {"trigger": "end", "execution.$": "$"}
    assert states["EndRun"]["Retry"][0]["ErrorEquals"] == ["States.ALL"]


def test_every_state_is_reached_and_every_next_is_there() -> None:
    for start, states in machines():
        nexts = set(
            re.findall(
                r'"(?:Next|Default)": "(\w+)"',
                json.dumps([without_children(s) for s in states.values()]),
            )
        )
        assert nexts | {start} == set(states)


def without_children(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "ItemProcessor"}


def test_names_of_states_are_unique_in_the_whole_machine() -> None:
    names = [name for _, states in machines() for name in states]
    assert len(names) == len(set(names))


def test_a_workflow_can_ask_for_as_many_retries_as_the_machine_makes() -> None:
    *_, everything = item_states("Item")["RunItem"]["Retry"]
    assert everything["MaxAttempts"] == MOST_RETRIES
    assert (everything["IntervalSeconds"], everything["MaxDelaySeconds"]) == (
        _FIRST_WAIT_SECONDS,
        _LONGEST_WAIT_SECONDS,
    )


def test_a_transient_error_is_retried_with_backoff_and_jitter_and_a_timeout_is_not() -> None:
    _, timeouts, everything = item_states("Item")["RunItem"]["Retry"]
    assert (set(timeouts["ErrorEquals"]), timeouts["MaxAttempts"]) == (
        {"States.Timeout", "Sandbox.Timedout"},
        0,
    )
    assert everything["ErrorEquals"] == ["States.ALL"]
    assert everything["JitterStrategy"] == "FULL"
    assert everything["BackoffRate"] == 2
    assert everything["MaxAttempts"] == 5


def test_a_throttled_call_has_tries_of_its_own_before_all_others() -> None:
    """A throttled call has not run the item.

    Each retrier counts its own tries. One that comes after States.ALL would never apply.
    """
    throttled, *others = item_states("Item")["RunItem"]["Retry"]
    assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    assert throttled["JitterStrategy"] == "FULL"
    assert throttled["MaxAttempts"] == 20
    assert throttled["MaxDelaySeconds"] <= 15
    assert others[-1]["ErrorEquals"] == ["States.ALL"]


def longest_seconds(retrier: dict[str, Any]) -> int:
    """Sum of a retrier's waits, without jitter."""
    first, rate, most = (
        retrier["IntervalSeconds"],
        retrier["BackoffRate"],
        retrier.get("MaxDelaySeconds", 3600),
    )
    return sum(min(first * rate**number, most) for number in range(retrier["MaxAttempts"]))


def test_waits_for_another_try_end_before_an_express_child_does() -> None:
    """Both retriers use all their tries, then one write records the outcome.

    The comment of the machine has the sum.
    """
    throttled, _, everything = item_states("Item")["RunItem"]["Retry"]
    assert (longest_seconds(throttled), longest_seconds(everything)) == (207, 75)
    assert longest_seconds(throttled) + longest_seconds(everything) < 300 - 10


def test_an_item_that_crashed_to_the_end_is_recorded_unless_it_is_done() -> None:
    states = item_states("Item")
    assert states["RunItem"]["Catch"] == [
        {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "ItemCrashed"}
    ]
    record = states["ItemCrashed"]["Parameters"]
    assert record["ConditionExpression"] == "attribute_not_exists(#status) OR #status = :running"
    assert "problem = if_not_exists(problem, :crashed)" in record["UpdateExpression"]
    told = msgspec.json.decode(record["ExpressionAttributeValues"][":crashed"]["S"], type=Problem)
    assert (told.code, told.status) == ("item_crashed", 500)


def test_a_failed_item_fails_its_child_and_not_the_run() -> None:
    for branch in ("OneOfMany", "OnePaced"):
        assert item_states(branch)["ItemOutcome"]["Default"] == "ItemFailed"
        assert item_states(branch)["ItemFailed"]["Type"] == "Fail"
    assert all(state["ToleratedFailurePercentage"] == 100 for state in MAPS.values())


def test_many_run_in_express_children_and_paced_ones_one_at_a_time() -> None:
    assert MAPS["Many"]["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "EXPRESS",
    }
    assert MAPS["Many"]["MaxConcurrencyPath"] == "$.max_concurrency"
    assert MAPS["Paced"]["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "STANDARD",
    }
    assert MAPS["Paced"]["MaxConcurrency"] == 1


def test_results_of_children_are_not_the_output_of_the_map() -> None:
    """Results of 256 KB in total would fail the run."""
    assert all(
        state["ResultWriter"]["Resource"].endswith("s3:putObject") for state in MAPS.values()
    )


def test_the_event_of_an_item_is_what_the_trigger_reads() -> None:
    event = item_states("Item")["RunItem"]["Parameters"]["Payload"]
    assert {name.removesuffix(".$") for name in event} == set(ItemDelivery.__struct_fields__)


def test_only_what_the_input_has_is_read() -> None:
    read = set(re.findall(r"(?<!\$)\$\.(\w+)", json.dumps(DEFINITION)))
    made_on_the_way = {"item", "end", "position", "Payload", "failure"}
    assert read - made_on_the_way <= set(Execution.__struct_fields__)


def test_an_execution_that_an_earlier_version_starts_during_an_update_runs_all_the_same() -> None:
    """A path that the input lacks would fail the run, and nothing could catch that."""
    first = DEFINITION["States"]["Branch"]["Choices"][0]
    assert first == {
        "Not": {"Variable": "$.lineage", "IsPresent": True},
        "Next": "WithoutLineage",
    }
    assert DEFINITION["States"]["WithoutLineage"] == {
        "Type": "Pass",
        "Result": {},
        "ResultPath": "$.lineage",
        "Next": "Branch",
    }
    optional = {each.name for each in msgspec.structs.fields(Execution) if not each.required}
    assert optional - {"lenient", "started_by", "items_digest"} == {"lineage"}


def test_an_express_child_ends_in_time() -> None:
    """An express child has 300 s, enough for a first try that hangs and for recording it."""
    function_seconds = sam.read_template()["Globals"]["Function"]["Timeout"]
    assert 240 < function_seconds < item_states("Item")["RunItem"]["TimeoutSeconds"] < 280
    assert BUDGET_SECONDS + _HANGS_SECONDS < 300 - 10, "a later try must end its own process"


def test_nothing_of_a_run_is_logged_by_step_functions() -> None:
    assert "Logging" not in MACHINE
    assert "Tracing" not in MACHINE


def test_the_machine_may_call_workflows_the_api_of_runs_and_itself_and_nothing_else() -> None:
    (policy,) = sam.read_template()["Resources"]["RunWorkflowRole"]["Properties"]["Policies"]
    allowed = {
        str(statement["Action"]): json.dumps(statement["Resource"])
        for statement in policy["PolicyDocument"]["Statement"]
    }
    assert re.findall(r"function:([^\"]+)", allowed["lambda:InvokeFunction"]) == [
        "${AWS::StackName}-wf-*",
        "${AWS::StackName}-runs",
    ]
    assert "stateMachine:${AWS::StackName}-RunWorkflow" in allowed["states:StartExecution"]
    assert all(
        "RunWorkflow" in resource or "states" not in action for action, resource in allowed.items()
    )


def test_the_substitutions_are_those_of_the_definition() -> None:
    asked = set(re.findall(r"\$\{(\w+)\}", json.dumps(DEFINITION)))
    assert asked == set(MACHINE["DefinitionSubstitutions"]) == set(SUBSTITUTIONS)
