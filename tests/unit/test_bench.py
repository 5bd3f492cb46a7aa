"""The bench: its table and page, and the AWS stand-in that decides writes as DynamoDB does."""

import io
import json
import sys
from datetime import date
from http.client import HTTPConnection
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from functions.api.runs.lists import read_items
from functions.core.runs.uploads import Format
from infra.plan.bench_page import PAGE
from infra.runtime import LambdaFunction, LambdaProcess, Runtime
from tests.bench import lists
from tests.bench.artifacts import PACKAGES, zip_bytes
from tests.bench.aws.dynamodb import Refused, Tables
from tests.bench.aws.expressions import holds, updated
from tests.bench.aws.server import AwsStandIn
from tests.bench.figures import Figures
from tests.bench.jobs.events import SECRETS
from tests.bench.jobs.job import JOBS
from tests.bench.jobs.requests import as_payload_1
from tests.bench.lists import Started, list_of
from tests.bench.measure import imported, table_keys
from tests.bench.page import Machine, part, replaced
from tests.bench.subjects import EMPTY, Kind, Subject
from tests.bench.table import lower_quartile, table

KEYS = {"things": ["id"]}
KEY = {"id": {"S": "one"}}


def subject(kind: Kind, label: str) -> Subject:
    return Subject(label, JOBS[0], kind, Path(), EMPTY)


def figures(cold_ms: float, warm_ms: float) -> Figures:
    made = Figures()
    made.cold_cpu, made.cold_wall = [cold_ms / 1000] * 3, [cold_ms / 500]
    made.warm_cpu, made.warm_wall = [warm_ms / 1000] * 3, [warm_ms / 500]
    made.peak_bytes, made.zip_bytes, made.modules = [48 * 1024**2], 21_700_000, 370
    made.first_requests, made.next_requests = 2, 1.0
    return made


def test_a_row_has_its_ratio_to_the_floor_of_its_job_and_the_products_is_bold() -> None:
    rows = table(
        {
            subject("peer", "Chalice"): figures(260, 3),
            subject("floor", "plain botocore"): figures(200, 2),
            subject("ours", "this project"): figures(140, 2.2),
        }
    ).splitlines()
    assert rows[2] == (
        "| verify_check | Chalice | 260 (260) | 1.30 | 3.00 (3.00) | 1.50 | 520 | 6.00 | 48 | 21.7 "
        "| 2, 1 | 370 |"
    )
    assert rows[4].startswith("| **verify_check** | **this project** | **140 (140)** | **0.70** |")
    assert {row.count("|") for row in rows} == {13}


def test_the_lower_quartile_does_not_see_the_disturbed_half() -> None:
    assert lower_quartile([1.0, 9.0, 1.0, 9.0, 9.0]) == 1.0
    assert lower_quartile([4.0]) == 4.0


def test_modules_are_read_from_the_profile_of_imports() -> None:
    log = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       120 |        120 |   json.decoder\n"
        "import time:        80 |        200 | json\n"
        '{"level": "INFO"}\n'
    )
    assert imported(log) == {"json.decoder", "json"}


def test_a_new_table_replaces_the_one_of_the_page_and_nothing_else() -> None:
    page = PAGE.read_text()
    machine = Machine("Some CPU", 2, 0.1)
    text = part("| a |", machine, date(2026, 11, 27), rounds=14, calls=20)
    changed = replaced(page, text)
    assert "Measured on 2026-11-27: 14 cold starts and 280 warm calls of each.\n" in changed
    assert "| a |" not in replaced(changed, "other")
    assert replaced(changed, "other") == replaced(page, "other")
    with pytest.raises(ValueError, match="has lost its lines"):
        replaced("# Performance\n", text)


@pytest.mark.parametrize(("load", "told"), [(0.2, False), (3.1, True)])
def test_figures_of_a_busy_machine_say_so(load: float, *, told: bool) -> None:
    lines = Machine("Some CPU", 2, load).described.splitlines()
    assert any("Other work ran on it" in line for line in lines) is told
    assert max(map(len, lines)) < 100


@pytest.mark.skipif(sys.platform != "linux", reason="awslambdaric is for Linux")
def test_a_process_gets_whole_events_and_tells_the_cpu_that_it_has_used(tmp_path: Path) -> None:
    echo = "def handler(event, _):\n    return {'length': len(event['text'])}\n"
    (tmp_path / "echo.py").write_text(echo)
    packages = Path(str(distribution("awslambdaric").locate_file("")))
    function = LambdaFunction("echo", tmp_path, "echo.handler", {})
    with LambdaProcess(function, Runtime(sys.executable, packages)) as process:
        process.start()
        started = process.cpu_seconds()
        for length in (0, 5_000_000):
            assert process.invoke({"text": "ü" * length})[0] == {"length": length}
        assert 0 < started < process.cpu_seconds() < 60


@pytest.mark.parametrize("kind", get_args(Format))
def test_a_measured_list_has_as_many_items_as_it_says(kind: Format) -> None:
    items = list(read_items(io.BytesIO(list_of(kind, 3)), kind))
    assert [item["to"] for item in items] == [f"ana{number}@example.com" for number in range(3)]
    assert items[0]["data"] == {"first_name": "Ana", "city": "Vienna"}


def test_a_start_over_a_list_is_told_by_item() -> None:
    found = Started("csv", 100_000, 4_000_000, 1.5, 80 * 1024**2, 5)
    assert lists.table([found]).splitlines()[2] == "| csv | 100,000 | 4.0 | 1.5 | 15 | 80 | 5 |"


def test_the_page_has_a_place_for_each_table() -> None:
    page = replaced(PAGE.read_text(), "of lists", "table of lists")
    assert "\nof lists\n" in page
    assert "| verify_check |" in page


def condition(text: str, item: dict[str, Any] | None) -> bool:
    values = {":five": {"N": "5"}, ":red": {"S": "red"}}
    request = {
        "ConditionExpression": text,
        "ExpressionAttributeNames": {"#size": "size"},
        "ExpressionAttributeValues": values,
    }
    return holds(request, item)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("attribute_exists(color)", True),
        ("attribute_not_exists (color)", False),
        ("#size < :five", True),
        ("((#size >= :five AND color = :red) OR color = :red)", True),
        ("#size < :five AND NOT color = :red", False),
        ("color = :five AND #size < :five", False),
        ("color <> other", True),
        ("other < :five", False),
        ("color = :five", False),
    ],
)
def test_a_condition_holds_as_dynamodb_decides_it(text: str, *, met: bool) -> None:
    item = {"size": {"N": "4.5"}, "color": {"S": "red"}}
    assert condition(text, item) is met


def test_a_condition_on_no_item_sees_no_attributes() -> None:
    assert condition("attribute_not_exists(color)", None)
    assert not condition("#size < :five", None)


def test_an_update_sets_adds_and_removes() -> None:
    request = {
        "UpdateExpression": "SET a = :x, b = if_not_exists (b, :one) + :one REMOVE c ADD #e :one",
        "ExpressionAttributeNames": {"#e": "e"},
        "ExpressionAttributeValues": {":x": {"S": "x"}, ":one": {"N": "1"}},
    }
    before = {"b": {"N": "4"}, "c": {"S": "c"}}
    assert updated(request, before) == {"a": {"S": "x"}, "b": {"N": "5"}, "e": {"N": "1"}}
    assert before == {"b": {"N": "4"}, "c": {"S": "c"}}


def claim(**about: object) -> dict[str, Any]:
    return {
        "TableName": "things",
        "Key": KEY,
        "UpdateExpression": "SET taken = :yes",
        "ConditionExpression": "attribute_not_exists(taken)",
        "ExpressionAttributeValues": {":yes": {"BOOL": True}},
    } | about


def test_a_conditional_update_is_won_once_and_tells_the_loser_what_is_stored() -> None:
    tables, stored = Tables(KEYS), KEY | {"taken": {"BOOL": True}}
    assert tables.answer("UpdateItem", claim(ReturnValues="ALL_NEW")) == {"Attributes": stored}
    with pytest.raises(Refused) as refused:
        tables.answer("UpdateItem", claim(ReturnValuesOnConditionCheckFailure="ALL_OLD"))
    assert refused.value.answer["__type"].endswith("#ConditionalCheckFailedException")
    assert refused.value.answer["Item"] == stored


def test_a_transaction_writes_all_or_nothing() -> None:
    tables, other = Tables(KEYS), {"id": {"S": "two"}}
    parts = [{"Put": {"TableName": "things", "Item": other}}, {"Update": claim()}]
    tables.answer("TransactWriteItems", {"TransactItems": [parts[1]]})
    with pytest.raises(Refused) as refused:
        tables.answer("TransactWriteItems", {"TransactItems": parts})
    codes = [reason["Code"] for reason in refused.value.answer["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed"]
    assert tables.answer("GetItem", {"TableName": "things", "Key": other}) == {}


def test_one_connection_carries_many_requests_which_are_counted() -> None:
    with AwsStandIn(KEYS, SECRETS) as aws:
        connection = HTTPConnection(str(urlsplit(aws.url).netloc))
        targets = ["DynamoDB_20120810.UpdateItem"] * 2 + ["secretsmanager.GetSecretValue"]
        bodies = [claim(), claim(), {"SecretId": "LimitKey"}]
        statuses = []
        for target, body in zip(targets, bodies, strict=True):
            connection.request("POST", "/", json.dumps(body), {"x-amz-target": target})
            reply = connection.getresponse()
            statuses.append((reply.status, json.loads(reply.read())))
        connection.close()
        assert [status for status, _ in statuses] == [200, 400, 200]
        assert statuses[2][1] == {"SecretString": SECRETS["LimitKey"]}
        assert aws.requests == {"UpdateItem": 2, "GetSecretValue": 1}


def test_a_range_of_an_object_is_answered() -> None:
    with AwsStandIn(KEYS, SECRETS) as aws:
        connection = HTTPConnection(str(urlsplit(aws.url).netloc))
        connection.request("PUT", "/runs/items.jsonl", b"0123456789")
        assert connection.getresponse().read() == b""
        connection.request("GET", "/runs/items.jsonl", headers={"range": "bytes=2-4"})
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (206, b"234")
        connection.close()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_each_job_has_a_function_of_the_template_and_events_of_their_own(job: Any) -> None:
    with AwsStandIn(table_keys(), SECRETS) as aws:
        first, second = job.event(aws, 1), job.event(aws, 2)
    assert json.loads(json.dumps(first)) == first
    assert (first == second) is (job.name == "authorize")


def test_the_check_is_the_one_that_others_measure() -> None:
    job = JOBS[0]
    assert set(job.variables) == {"VERIFICATIONS_TABLE", "CODE_KEYS_SECRET"}
    with AwsStandIn(table_keys(), SECRETS) as aws:
        asked = json.loads(job.event(aws, 1)["body"])
        key = {"verification_id": {"S": asked["verification_id"]}}
        read = {"TableName": "Verifications", "Key": key}
        assert "salt" not in aws.tables.answer("GetItem", read)["Item"]


def test_chalice_gets_the_same_request_in_its_own_format() -> None:
    with AwsStandIn(table_keys(), SECRETS) as aws:
        event = JOBS[0].event(aws, 1)
    assert as_payload_1(event)["body"] == event["body"]
    assert as_payload_1(event)["httpMethod"] == "POST"


def test_the_zip_of_a_folder_has_its_files_compressed(tmp_path: Path) -> None:
    assert zip_bytes(tmp_path) == 22  # the end of every zip
    (tmp_path / "big.py").write_text("x = 1\n" * 10_000)
    assert 22 < zip_bytes(tmp_path) < 1_000


def test_only_packages_that_are_pinned_are_installed() -> None:
    folder = Path(__file__).parents[2]
    texts = [folder / "requirements.txt", folder / "tests/bench/requirements.txt"]
    pinned = {line.split("==")[0] for text in texts for line in text.read_text().splitlines()}
    assert {name for names in PACKAGES.values() for name in names} <= pinned
