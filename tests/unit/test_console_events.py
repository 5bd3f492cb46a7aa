"""The console's list of events: each once, with its tries."""

from typing import Any

from infra.console.events import events


def line(at: str, event_id: str | None, traceback: str = "", **keys: Any) -> dict[str, Any]:
    told = keys | ({"event_id": event_id, "event_type": "order.shipped"} if event_id else {})
    return {"at": at, "message": "answered", "keys": told, "traceback": traceback}


def test_tries_of_an_event_stand_together_also_those_of_a_retry() -> None:
    failed = (
        "Traceback (most recent call last):\nfunctions.core.errors.NotDelivered: It answered 503."
    )
    found = events(
        [
            line("1", "evt_1", failed, run_id="r.1", code="not_delivered"),
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


def test_lines_that_tell_of_no_event_are_left_out() -> None:
    assert events([line("1", None, run_id="r.1")]) == []


def test_only_the_last_events_are_listed() -> None:
    found = events([line(str(number), f"evt_{number}") for number in range(150)])
    assert len(found) == 100
    assert found[0]["event_id"] == "evt_149"
