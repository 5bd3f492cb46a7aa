"""Events on the local stack: a run delivers them to a server on this machine, signed with the stack's own key."""

from pathlib import Path
from typing import Any

import pytest

from tests.documents import event_reader
from tests.e2e.conftest import LocalStack, Receiver, eventually

EVENT = {"type": "order.shipped", "data": {"order": "1042"}}


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
    read_event = event_reader(f"whsec_{key_of(special)}")
    first, second = [read_event(*delivery) for delivery in receiver.arrived_with(b'"order":"1042"')]
    assert first == second
    assert (second["type"], second["data"], second["id"]) == (
        *EVENT.values(),
        run["result"]["event_id"],
    )


def deliver(stack: LocalStack, event: dict[str, Any]) -> dict[str, Any]:
    """The run of an event, once it has ended."""
    with stack.api() as api:
        started = api.post(
            "/workflows/deliver_event", json=event, headers={"prefer": "respond-async"}
        ).json()

        def ended() -> dict[str, Any] | None:
            run: dict[str, Any] = api.get(f"/runs/{started['run_id']}").json()
            return run if run["status"] != "running" else None

        return eventually(ended) or {}


def key_of(stack: LocalStack) -> str:
    secret = stack.running.outputs["EventsKeySecret"]
    return str(
        stack.emulator.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    )


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
