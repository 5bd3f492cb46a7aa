"""The plan's counts (infra/plan/demand.py) are those of the requests that functions make."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.core.aws import dynamodb
from functions.core.runs.start import start
from functions.workflows.send_email_template.handler import lambda_handler as send_email
from functions.workflows.verify_check.handler import lambda_handler as verify_check
from functions.workflows.verify_delete.handler import lambda_handler as verify_delete
from functions.workflows.verify_send.handler import lambda_handler as verify_send
from infra.plan import demand
from infra.plan.demand import Units
from tests.builders import Context, call
from tests.builders.run_items import delivery
from tests.builders.run_records import finish
from tests.builders.verifications import last_code
from tests.workflows.conftest import admin

pytestmark = pytest.mark.usefixtures("cloud")

EMAIL = {
    "to": "ana@example.com",
    "template": "message",
    "data": {"subject": "Hello", "heading": "Hello", "paragraphs": ["Hello Ana,"]},
}
TABLES = {
    "local-verifications": "Verifications",
    "local-limits": "Limits",
    "local-outcomes": "Outcomes",
    "local-runs": "RunRecords",
}
READS = {"BatchGetItem", "GetItem", "Query"}


class Meter:
    """Units of the requests so far; `take` forgets them."""

    def __init__(self) -> None:
        self._writes: Counter[str] = Counter()
        self._reads: Counter[str] = Counter()

    def note(self, event_name: str, request: Any, **_: object) -> None:
        operation, about = event_name.rpartition(".")[2], json.loads(request.body)
        if operation == "TransactWriteItems":
            for item in about["TransactItems"]:
                (write,) = item.values()
                self._writes[write["TableName"]] += 2
        elif operation == "BatchGetItem":
            for table, wanted in about["RequestItems"].items():
                self._reads[table] += len(wanted["Keys"])
        else:
            (self._reads if operation in READS else self._writes)[about["TableName"]] += 1

    def take(self) -> set[Units]:
        """Units by table, of items of a kilobyte that are read consistently."""
        named = {name for name in self._writes | self._reads if name in TABLES}
        found = {Units(TABLES[name], self._writes[name], self._reads[name]) for name in named}
        self._writes.clear()
        self._reads.clear()
        return found


@pytest.fixture
def meter() -> Iterator[Meter]:
    made = Meter()
    events = dynamodb.connection().client.meta.events
    events.register("before-send.dynamodb", made.note)
    yield made
    events.unregister("before-send.dynamodb", made.note)


def largest_bytes(table: str) -> int:
    """Size of the largest item of a table, a little more than DynamoDB counts."""
    return max(
        len(msgspec.json.encode(item)) for item in admin("dynamodb").scan(TableName=table)["Items"]
    )


def test_a_verification_by_email_takes_what_the_plan_says(meter: Meter) -> None:
    sent = call(verify_send, {"channel": "email", "to": "ana@example.com"}, kind="publishable")
    verification_id = sent.body["verification_id"]
    call(verify_check, {"verification_id": verification_id, "code": last_code()})
    sizes = [largest_bytes(table) for table in ("local-verifications", "local-limits")]
    event = {"trigger": "schedule", "parameters": {"verification_id": verification_id}}
    assert verify_delete(event, Context())["result"]["deleted"]
    assert meter.take() == set(demand.VERIFICATION)
    assert max(sizes) <= 1024, "each write takes one unit"


def test_an_item_that_sends_an_email_takes_what_the_plan_says(meter: Meter) -> None:
    assert send_email(delivery(EMAIL), Context()) == {"status": "succeeded"}
    assert meter.take() == set(demand.EMAIL_ITEM)
    assert largest_bytes("local-outcomes") <= 1024


def test_an_item_without_steps_takes_what_the_plan_says(meter: Meter) -> None:
    event = delivery({"verification_id": "k1.none"})
    assert verify_delete(event, Context()) == {"status": "succeeded"}
    assert {each for each in meter.take() if each.table == "Outcomes"} == set(demand.BARE_ITEM)


def test_the_record_of_a_run_takes_what_the_plan_says(meter: Meter) -> None:
    run = start("send_email_template", [EMAIL], token_id="0123456789abcdef", started_by="api")
    finish(run.run_id)
    (units,) = (each for each in meter.take() if each.table == "RunRecords")
    (planned,) = demand.RECORD_OF_A_RUN
    assert 1024 < largest_bytes("local-runs") <= 2048, "each write takes two units"
    assert 2 * units.writes == planned.writes
