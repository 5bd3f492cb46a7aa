"""Events from changes of verifications, as the table's stream delivers them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from functions.api.events.changes import VerificationEvent, events_of
from infra import sam

MODIFIED = json.loads((sam.ROOT / "tests/events/events.json").read_text())["Records"][0]
BEFORE: dict[str, Any] = MODIFIED["dynamodb"]["OldImage"]
EXPIRES_AT = float(BEFORE["expires_at"]["N"])


def change(
    before: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
    *,
    at: float = EXPIRES_AT - 60,
    number: str = "1",
) -> list[VerificationEvent]:
    name = "MODIFY" if before and now else "REMOVE" if before else "INSERT"
    images = {"OldImage": before, "NewImage": now}
    about = {"ApproximateCreationDateTime": at} | {
        key: image for key, image in images.items() if image
    }
    return list(events_of({"eventID": number, "eventName": name, "dynamodb": about}))


def types(found: list[VerificationEvent]) -> list[str]:
    return [event.type for event in found]


def sent(**attributes: Any) -> dict[str, Any]:
    return BEFORE | {"delivery": {"S": "sent"}} | attributes


RIGHT = {"last_mac": BEFORE["code_mac"], "attempts": {"N": "1"}}
WRONG = {"last_mac": {"B": "d3Jvbmc="}, "attempts": {"N": "1"}}


def test_a_new_verification_is_no_event_until_its_code_is_sent() -> None:
    assert change(None, BEFORE) == []
    assert types(change(BEFORE, sent())) == ["verification.sent"]


@pytest.mark.parametrize("delivery", ["delivered", "failed"])
def test_the_outcome_of_the_message_is_an_event(delivery: str) -> None:
    now = sent(delivery={"S": delivery}, delivery_reason={"S": "Permanent"})
    (event,) = change(sent(), now)
    assert (event.type, event.data["delivery_reason"]) == (f"verification.{delivery}", "Permanent")


@pytest.mark.parametrize("known", ["sent", "delivered", "failed"])
def test_each_message_that_is_sent_is_an_event(known: str) -> None:
    before = sent(delivery={"S": known}, message_id={"S": "m-1"})
    now = sent(message_id={"S": "m-2"})
    assert types(change(before, now)) == ["verification.sent"]
    assert change(now, now | {"channel": {"S": "voice"}}) == []


def test_a_failure_reported_before_the_send_is_recorded_is_two_events() -> None:
    found = change(BEFORE, BEFORE | {"delivery": {"S": "failed"}})
    assert types(found) == ["verification.sent", "verification.failed"]
    assert len({event.event_id for event in found}) == 2


def test_a_test_destination_is_told_as_one() -> None:
    (event,) = change(BEFORE | {"test": {"BOOL": True}}, BEFORE | RIGHT | {"test": {"BOOL": True}})
    assert (event.type, event.data["test"]) == ("verification.approved", True)


def test_the_right_code_is_an_event_once() -> None:
    assert types(change(sent(), sent(**RIGHT))) == ["verification.approved"]
    assert change(sent(**RIGHT), sent(**RIGHT) | {"attempts": {"N": "2"}}) == []


def test_a_wrong_code_is_none() -> None:
    assert change(sent(), sent(**WRONG)) == []


def test_a_verification_that_goes_after_its_time_has_expired() -> None:
    assert types(change(sent(), None, at=EXPIRES_AT)) == ["verification.expired"]
    assert types(change(sent(**WRONG), None, at=EXPIRES_AT + 300)) == ["verification.expired"]


@pytest.mark.parametrize(
    ("before", "at"),
    [
        (sent(**RIGHT), EXPIRES_AT + 300),
        (sent(), EXPIRES_AT - 1),
        (sent(expires_at={"N": "0"}), EXPIRES_AT + 300),
    ],
    ids=["approved", "withdrawn or replaced", "replaced by one to elsewhere"],
)
def test_an_approved_or_early_deleted_verification_has_not_expired(
    before: dict[str, Any], at: float
) -> None:
    assert change(before, None, at=at) == []


def test_the_same_change_is_the_same_event_and_another_one_is_another() -> None:
    (first,), (again,), (other,) = (change(BEFORE, sent(), number=number) for number in "112")
    assert first == again
    assert first.event_id != other.event_id


def test_two_things_at_once_are_two_events() -> None:
    found = change(BEFORE, sent(**RIGHT))
    assert types(found) == ["verification.sent", "verification.approved"]
    assert len({event.event_id for event in found}) == 2


def test_an_event_has_no_code_no_hash_of_it_and_always_the_same_fields() -> None:
    (event,) = change(sent(nonce={"S": "n-1"}), sent(**RIGHT))
    assert event.parameters() == {
        "event_id": event.event_id,
        "type": "verification.approved",
        "occurred_at": "2026-11-24T12:09:00Z",
        "data": {
            "verification_id": "k1.AAAAAAAAAAAAAAAAAAAAAA",
            "channel": "email",
            "to": "ana@example.com",
            "country": None,
            "purpose": None,
            "delivery": "sent",
            "delivery_reason": None,
            "test": False,
        },
    }
