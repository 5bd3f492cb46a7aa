"""Events on the local stack: a run delivers them, signed, to a server of the test."""

from pathlib import Path

import pytest

from tests.documents import event_reader
from tests.e2e.conftest import Json, LocalStack, Receiver
from tests.e2e.runs import ended

EVENT: Json = {"type": "order.shipped", "data": {"order": "1042"}}


def test_an_event_is_tried_again_until_it_is_taken_and_verified_with_the_documents_code(
    special: LocalStack, receiver: Receiver
) -> None:
    receiver.fail_once(b'"order":"1042"')
    run = deliver(special, EVENT)
    assert (run["status"], run["result"]["delivered"], run["result"]["status"]) == (
        "succeeded",
        True,
        204,
    )
    assert deliver(special, EVENT | {"type": "cart.emptied"})["result"]["delivered"] is False
    with special.api() as api:
        forged = api.post(
            "/workflows/deliver_event", json=EVENT | {"type": "verification.approved"}
        )
    assert (forged.status_code, forged.json()["errors"][0]["pointer"]) == (422, "/type")
    read_event = event_reader(f"whsec_{special.secret('EventsKeySecret')}")
    first, second = [read_event(*delivery) for delivery in receiver.arrived_with(b'"order":"1042"')]
    assert first == second
    assert (second["type"], second["data"], second["id"]) == (
        *EVENT.values(),
        run["result"]["event_id"],
    )


def deliver(stack: LocalStack, event: Json) -> Json:
    """Delivers an event in a run; returns the ended run."""
    with stack.api() as api:
        started = api.post(
            "/workflows/deliver_event", json=event, headers={"prefer": "respond-async"}
        )
        assert started.status_code == 202, started.text
        return ended(api, started.json()["run_id"])


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://example.com:8443/", "https://ana@example.com/"]
)
def test_a_url_that_events_cannot_go_to_is_said_before_anything_starts(
    url: str, tmp_path: Path
) -> None:
    stack = LocalStack.start(tmp_path, check=False, EVENTS_URL=url)
    assert stack.exit_status == 1
    assert "EVENTS_URL cannot be" in stack.text
    assert "starting the emulator" not in stack.text
