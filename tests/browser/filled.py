"""A local stack in which something happened: messages, runs, schedules, webhooks, requests."""

import subprocess
import sys
from typing import Any

import httpx

from infra import sam
from infra.local.development import PUBLISHABLE
from tests.builders.parameters import send_parameters
from tests.e2e import runs
from tests.e2e.conftest import LocalStack, eventually

NOBODY = "nobody"
"""No address: an item with it fails."""
REFUSED = "refused.example.com"
"""Domain of addresses that the provider refuses: such an item fails with a traceback."""
NAMES = [f"{name}@example.com" for name in ("ana", "ben", "chidi", "dana", "emre", "fatima")]


def fill(stack: LocalStack) -> None:
    """Makes one of everything that the console's pages show, and waits for it."""
    set_secret(stack)  # first, as a function keeps for a while that there is none
    with stack.api(PUBLISHABLE) as app:
        app.post("/workflows/verify_send", json=send_parameters("ana@example.com"))
        app.post("/workflows/verify_send", json=send_parameters("+12025550143", channel="sms"))
        app.post("/workflows/verify_send", json=send_parameters(NOBODY))
    with stack.api() as api:
        schedule(api)
        started = start_list(api, [*NAMES, NOBODY, f"goro@{REFUSED}"])
        api.post("/webhooks/usersnap", json={"event": "feedback.created"})
        runs.ended(api, started["run_id"])
    eventually(
        "the messages arrived", lambda: len(stack.inbox()), lambda count: count >= len(NAMES) + 2
    )


def set_secret(stack: LocalStack) -> None:
    """Sets the secret of the source usersnap."""
    command = [sys.executable, "-m", "infra.webhooks", "--state", str(stack.state), "usersnap"]
    subprocess.run(command, cwd=sam.ROOT, input="a token of Usersnap", check=True, text=True)


def schedule(api: httpx.Client, cron: str = "0 9 ? * MON-FRI *", zone: str = "Asia/Tokyo") -> None:
    """Creates a schedule."""
    made = api.post(
        "/schedules",
        json={
            "workflow": "send_email_template",
            "cron": cron,
            "timezone": zone,
            "group": "orders",
            "parameters": message("ana@example.com"),
        },
    )
    assert made.status_code == 201, made.text


def message(to: str) -> dict[str, Any]:
    """Parameters of send_email_template."""
    data = {
        "subject": "Your order is on its way",
        "heading": "Your order is on its way",
        "paragraphs": ["Hello Ana,", "We handed order 1042 to the carrier today."],
    }
    return {"to": to, "template": "message", "data": data}


def start_list(api: httpx.Client, recipients: list[str]) -> dict[str, Any]:
    """Starts a run on a list that nobody has checked before, and returns its first state."""
    parameters = message("")
    del parameters["to"]
    uploaded = runs.upload(api, "\n".join(["to", *recipients]))
    return runs.start(api, "send_email_template", upload_id=uploaded, parameters=parameters)
