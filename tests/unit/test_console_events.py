"""The console's list of events: each once, with its tries."""

from typing import Any

from infra.console.events import events

FAILED = "Traceback (most recent call last):\nfunctions.core.errors.NotDelivered: It answered 503."


def line(
    at: str, event_id: str | None, traceback: str = "", message: str = "answered", **keys: Any
) -> dict[str, Any]:
    told = keys | ({"event_id": event_id, "event_type": "order.shipped"} if event_id else {})
    return {"at": at, "message": message, "keys": told, "traceback": traceback}


def test_tries_of_an_event_stand_together_also_those_of_a_retry() -> None:
    found = events(
        [
            line("1", "evt_1", FAILED, run_id="r.1", code="not_delivered"),
            line("2", "evt_2", run_id="r.2", receiver_status=204),
            line("3", "evt_1", run_id="r.3", receiver_status=200),
        ]
    )
    assert [(each["event_id"], each["run_id"]) for each in found] == [
        ("evt_1", "r.3"),
        ("evt_2", "r.2"),
    ]
    assert found[0]["tries"] == [
        {"at": "1", "status": None, "code": "not_delivered", "detail": "It answered 503."},
        {"at": "3", "status": 200, "code": None, "detail": ""},
    ]


def test_an_event_that_waits_for_its_next_try_says_when_that_is() -> None:
    tried = line("1", "evt_1", FAILED, "step will be tried again", code="not_delivered")
    waits = line("1", "evt_1", message="item waits", until="2026-11-27T12:05:00Z")
    (event,) = events([tried, waits])
    assert (event["next_try_at"], len(event["tries"])) == ("2026-11-27T12:05:00Z", 1)
    (event,) = events([tried, waits, line("2", "evt_1", receiver_status=204)])
    assert (event["next_try_at"], len(event["tries"])) == (None, 2)


def test_the_last_try_of_an_event_that_is_given_up_is_listed_once_with_its_reason() -> None:
    (event,) = events(
        [
            line("1", "evt_1", FAILED, "step failed", code="not_delivered"),
            line("1", "evt_1", FAILED, "problem", code="step_failed"),
            line("1", "evt_1", message="the record of an endpoint of events was not kept"),
        ]
    )
    assert [(each["code"], each["detail"]) for each in event["tries"]] == [
        ("not_delivered", "It answered 503.")
    ]


def test_lines_that_tell_of_no_event_are_left_out() -> None:
    assert events([line("1", None, run_id="r.1")]) == []


def test_only_the_last_events_are_listed() -> None:
    found = events([line(str(number), f"evt_{number}") for number in range(150)])
    assert len(found) == 100
    assert found[0]["event_id"] == "evt_149"
