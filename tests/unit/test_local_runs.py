"""Long workflows on the local stack: waits that end in time, runs that a restart has ended."""

from typing import Any

from infra.local.runs.ended_runs import EndedRun, Pause, ending_line
from infra.local.runs.overdue_waits import Waits

NOW = 1_800_000_000.0


def change(address: str, token: str | None, until: float = NOW) -> dict[str, Any]:
    """Change of a record; without a token, its removal."""
    key = {"run_id": {"S": address}, "index": {"N": "7"}}
    image = key | {"step": {"S": str(token)}, "lease_until": {"N": str(until)}}
    return {"Keys": key} | ({"NewImage": image} if token else {"OldImage": image})


def tokens(*changes: dict[str, Any]) -> list[str]:
    """Tokens of the waits that are overdue after these changes."""
    waits = Waits()
    for each in changes:
        waits.note(each)
    return [each.token for each in waits.overdue(NOW)]


def test_a_wait_is_overdue_from_its_end_on() -> None:
    later = change("listener key b", "t2", NOW + 0.1)
    assert tokens(change("listener key a", "t1"), later) == ["t1"]


def test_a_wait_that_an_event_has_ended_is_not_overdue() -> None:
    assert tokens(change("listener key a", "t1"), change("listener key a", None)) == []


def test_a_later_wait_at_the_same_place_counts_alone() -> None:
    again = change("listener key a", "t2", NOW + 60)
    assert tokens(change("listener key a", "t1"), again) == []


def test_events_and_outcomes_of_items_are_no_waits() -> None:
    assert tokens(change("event key a", "t1"), change("greet.1", "t2")) == []


def test_a_wait_is_ended_once() -> None:
    waits = Waits()
    waits.note(change("listener key a", "t1"))
    (listener,) = waits.overdue(NOW)
    waits.forget(listener)
    assert waits.overdue(NOW) == []


def line(total: int = 1, waiting: int = 0, pause: Pause | None = None) -> str:
    return ending_line(EndedRun("greet.1", total, waiting, pause), "http://127.0.0.1:1", NOW)


def test_a_run_that_a_restart_has_ended_is_said_with_its_wait_and_the_command_that_goes_on() -> (
    None
):
    told = line(1, 1, Pause("sleep", "look around", NOW - 600, NOW + 600))
    first, command = told.splitlines()
    assert first.startswith(
        "greet: the restart has ended the run greet.1, which had begun to wait 10 min ago "
        "(sleep 'look around' until 20"
    )
    assert command.startswith(
        "curl -X POST http://127.0.0.1:1/runs/greet.1/retry -H 'authorization"
    )


def test_a_run_that_did_not_wait_is_said_to_have_been_at_work() -> None:
    assert "greet.1, whose item was at work. " in line()


def test_a_run_on_a_list_is_said_with_the_number_of_items_that_waited() -> None:
    assert "greet.1, in which 3 of 5 items waited. " in line(5, 3)
