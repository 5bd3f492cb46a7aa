import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from functions.core.errors import Unavailable
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.workflows.verify_send.handler import lambda_handler as verify_send
from infra import sam
from tests import fakes
from tests.builders import Reply, call
from tests.workflows.conftest import Clock, Settings, admin, sent_emails

pytestmark = pytest.mark.usefixtures("cloud")

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


class Order(Parameters):
    number: int


class NotedOrder(Order):
    note: str | None = None
    tags: dict[str, Any] | None = None


class Ordered(Result):
    number: int
    count: int


class Orders:
    """A workflow that counts its runs and may fail."""

    def __init__(self) -> None:
        self.count = 0
        self.failure: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.handler = workflow(self.tests)

    def tests(self, order: Order) -> Ordered:
        self.meanwhile()
        if self.failure:
            raise self.failure
        self.count += 1
        return Ordered(number=order.number, count=self.count)

    def place(self, number: int = 1, key: str = KEY, **options: Any) -> Reply:
        headers = {"Idempotency-Key": key} if key else {}
        return call(
            self.handler, {"number": number}, scopes=["workflow:tests"], headers=headers, **options
        )


@pytest.fixture
def orders() -> Orders:
    return Orders()


def test_the_same_key_twice_runs_once_and_answers_alike(orders: Orders) -> None:
    replies = [orders.place() for _ in range(3)]
    assert [(reply.status, reply.body) for reply in replies] == [
        (200, {"number": 1, "count": 1})
    ] * 3


def test_an_answer_that_is_given_again_has_the_id_of_its_own_request(orders: Orders) -> None:
    orders.place()
    again = orders.place()
    assert again.headers["x-request-id"] == "request-1"
    assert again.headers["content-type"] == "application/json"


def test_without_a_key_every_call_runs(orders: Orders) -> None:
    assert [orders.place(key="").body["count"] for _ in range(2)] == [1, 2]


def test_a_key_belongs_to_one_token(orders: Orders) -> None:
    counts = [orders.place(token_id=token).body["count"] for token in ("a" * 16, "b" * 16)]
    assert counts == [1, 2]


def test_another_key_is_another_call(orders: Orders) -> None:
    assert [orders.place(key=key).body["count"] for key in ("one", "two")] == [1, 2]


def test_quotes_of_a_structured_field_do_not_matter(orders: Orders) -> None:
    assert [orders.place(key=key).body["count"] for key in (KEY, f'"{KEY}"')] == [1, 1]


@pytest.mark.parametrize("key", ["x" * 256, "a b", "ключ", '"', '""'])
def test_an_invalid_key_is_refused_and_nothing_runs(key: str, orders: Orders) -> None:
    reply = orders.place(key=key)
    assert (reply.status, reply.body["code"]) == (400, "invalid_idempotency_key")
    assert orders.count == 0


def test_an_empty_key_is_refused_and_nothing_runs(orders: Orders) -> None:
    options: dict[str, Any] = {"scopes": ["workflow:tests"], "headers": {"Idempotency-Key": ""}}
    reply = call(orders.handler, {"number": 1}, **options)
    assert (reply.status, reply.body["code"]) == (400, "invalid_idempotency_key")
    assert orders.count == 0


@pytest.mark.parametrize(
    "other",
    [
        {"number": 1, "note": None},
        {"number": 1, "note": ""},
        {"number": 1, "tags": {"a": [{"b": 1}]}},
    ],
)
def test_null_and_absent_are_the_same_request(other: dict[str, Any]) -> None:
    orders = Orders()

    def tests(order: NotedOrder) -> Ordered:
        return orders.tests(Order(number=order.number))

    handler = workflow(tests)
    options: dict[str, Any] = {"scopes": ["workflow:tests"], "headers": {"idempotency-key": KEY}}
    first = {"number": 1} | {
        name: {"a": [{"b": 1, "c": None}], "d": None} for name in other if name == "tags"
    }
    replies = [call(handler, body, **options) for body in (first, other)]
    assert [(reply.status, reply.body) for reply in replies] == [
        (200, {"number": 1, "count": 1})
    ] * 2


def test_null_in_a_list_is_not_absent() -> None:
    def tests(order: NotedOrder) -> Ordered:
        return Ordered(number=order.number, count=1)

    options: dict[str, Any] = {"scopes": ["workflow:tests"], "headers": {"idempotency-key": KEY}}
    bodies = [{"number": 1, "tags": {"a": each}} for each in ([1, None], [1])]
    assert [call(workflow(tests), body, **options).status for body in bodies] == [200, 422]


def test_a_key_with_other_parameters_is_refused(orders: Orders) -> None:
    orders.place(1)
    reply = orders.place(2)
    assert (reply.status, reply.body["code"]) == (422, "idempotency_key_reused")
    assert orders.count == 1


def test_the_order_of_parameters_does_not_matter() -> None:
    class Pair(Parameters):
        a: int
        b: int

    def tests(pair: Pair) -> Ordered:
        return Ordered(number=pair.a, count=pair.b)

    handler = workflow(tests)
    bodies = ('{"a": 1, "b": 2}', '{"b": 2,\n "a": 1}')
    options: dict[str, Any] = {"scopes": ["workflow:tests"], "headers": {"idempotency-key": KEY}}
    assert [call(handler, body, **options).status for body in bodies] == [200, 200]


def test_while_the_first_call_runs_the_second_is_a_409(orders: Orders) -> None:
    seen: list[Reply] = []

    def meanwhile() -> None:
        orders.meanwhile = lambda: None
        seen.append(orders.place())

    orders.meanwhile = meanwhile
    assert orders.place().status == 200
    assert [(reply.status, reply.body["code"]) for reply in seen] == [(409, "still_running")]
    assert seen[0].headers["retry-after"] == "1"
    assert orders.count == 1


@pytest.mark.parametrize("failure", [Unavailable("Not now."), RuntimeError("broken")])
def test_a_failure_is_not_kept(failure: Exception, orders: Orders) -> None:
    orders.failure = failure
    assert orders.place().status >= 500
    orders.failure = None
    assert (orders.place().status, orders.place().body["count"]) == (200, 1)


def test_wrong_parameters_do_not_use_the_key_up(orders: Orders) -> None:
    headers = {"idempotency-key": KEY}
    assert (
        call(orders.handler, {"number": "x"}, scopes=["workflow:tests"], headers=headers).status
        == 422
    )
    assert orders.place().status == 200


def test_an_answer_is_kept_for_a_day(orders: Orders) -> None:
    orders.place()
    (item,) = admin("dynamodb").scan(TableName="local-idempotency")["Items"]
    assert 86_390 < int(item["delete_at"]["N"]) - time.time() <= 86_401
    assert KEY not in json.dumps(item)


def test_a_call_that_died_stands_in_the_way_for_no_longer_than_it_could_have_taken(
    orders: Orders,
) -> None:
    kept: list[dict[str, Any]] = []
    orders.meanwhile = lambda: kept.extend(
        admin("dynamodb").scan(TableName="local-idempotency")["Items"]
    )
    orders.place()
    assert 20 < int(kept[0]["in_progress_expiration"]["N"]) / 1000 - time.time() <= 26


def test_without_its_table_a_call_with_a_key_is_a_503_and_nothing_runs(
    orders: Orders, settings: Settings
) -> None:
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    reply = orders.place()
    assert (reply.status, reply.body["code"], orders.count) == (503, "unavailable", 0)


def test_without_a_permission_it_is_a_500_and_the_log_says_which(
    orders: Orders, settings: Settings, log: io.StringIO
) -> None:
    reply = b'{"__type": "AccessDeniedException", "message": "No."}'
    with fakes.server(fakes.answers(400, reply)) as url:
        settings.set(AWS_ENDPOINT_URL_DYNAMODB=url)
        refused = orders.place()
    assert (refused.status, refused.body["code"], orders.count) == (500, "internal_error", 0)
    assert "dynamodb:PutItem on resource: TableName=local-idempotency" in log.getvalue()


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    orders: Orders, log: io.StringIO
) -> None:
    orders.meanwhile = lambda: admin("dynamodb").delete_table(TableName="local-idempotency")
    assert orders.place().body == {"number": 1, "count": 1}
    assert "answer not kept" in log.getvalue()


def test_a_workflow_that_is_passed_the_key_gets_it_and_keeps_no_answer(orders: Orders) -> None:
    """test_signed_checks.py has the workflow that uses it."""
    passed: list[str | None] = []

    def tests(order: Order, call: Call) -> Ordered:
        passed.append(call.idempotency_key)
        return orders.tests(order)

    orders.handler = workflow(tests, idempotency="passed", publishable=True)
    answers = [orders.place(kind=kind, key=f'"{KEY}"') for kind in ("secret", "publishable")]
    answers.append(orders.place(key=""))
    assert [answer.body["count"] for answer in answers] == [1, 2, 3]
    assert passed == [KEY, KEY, None]
    assert (orders.place(key="a b").body["code"], orders.count) == ("invalid_idempotency_key", 3)
    assert admin("dynamodb").scan(TableName="local-idempotency")["Items"] == []


def test_other_workflows_functions_do_not_get_the_key(orders: Orders) -> None:
    passed: list[str | None] = []

    def tests(order: Order, call: Call) -> Ordered:
        passed.append(call.idempotency_key)
        return orders.tests(order)

    orders.handler = workflow(tests)
    orders.place()
    assert passed == [None]


@pytest.mark.parametrize("key", [KEY, "a b", "x" * 256])
def test_a_stranger_with_a_victims_key_and_publishable_token_gets_a_verification_of_their_own(
    key: str, clock: Clock
) -> None:
    body = {"channel": "email", "to": "ana@example.com"}
    options: dict[str, Any] = {"kind": "publishable", "headers": {"idempotency-key": key}}
    victim = call(verify_send, body, **options)
    clock.advance(120)
    strangers = call(verify_send, body, **options)
    assert (victim.status, strangers.status) == (200, 200)
    assert victim.body["verification_id"] != strangers.body["verification_id"]
    assert call(verify_send, body | {"to": "eve@example.com"}, **options).status == 200, (
        "not key_reused"
    )
    assert admin("dynamodb").scan(TableName="local-idempotency")["Items"] == []


def test_a_secret_tokens_key_works_on_verify_send() -> None:
    body = {"channel": "email", "to": "ana@example.com"}
    replies = [call(verify_send, body, headers={"idempotency-key": KEY}) for _ in range(2)]
    assert replies[0].status == 200
    assert replies[0].body == replies[1].body
    assert len(sent_emails()) == 1


def test_no_workflow_keeps_an_answer_for_a_publishable_token(orders: Orders) -> None:
    orders.handler = workflow(orders.tests, publishable=True)
    assert [orders.place(kind="publishable").body["count"] for _ in range(2)] == [1, 2]


def test_a_workflow_whose_answers_hold_secrets_refuses_every_key(orders: Orders) -> None:
    orders.handler = workflow(orders.tests, idempotency="refused")
    assert [(orders.place(key=key).status, orders.count) for key in (KEY, "a b", "")] == [
        (400, 0),
        (400, 0),
        (200, 1),
    ]
    assert admin("dynamodb").scan(TableName="local-idempotency")["Items"] == []


def test_a_cold_start_without_a_key_does_not_pay_for_it() -> None:
    code = (
        "import sys; import functions.workflows.verify_check.handler; "
        "import functions.workflows.verify_send.handler; "
        "print('boto3' in sys.modules, 'functions.core.http.idempotency' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=sam.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_deeply_nested_parameters_are_invalid_with_and_without_a_key(orders: Orders) -> None:
    body = '{"number": ' + '{"a": ' * 500 + "1" + "}" * 501
    options: dict[str, Any] = {"scopes": ["workflow:tests"], "headers": {"idempotency-key": KEY}}
    assert call(orders.handler, body, **options).status == 422


# --- large answers --------------------------------------------------------------------------------


class Text(Result):
    text: str


class Archive:
    """A workflow with an answer of any size, which counts its runs."""

    def __init__(self, characters: int, character: str = "x") -> None:
        self.count = 0
        self._text = character * characters
        self.handler = workflow(self.tests)

    def tests(self, _: Order) -> Text:
        self.count += 1
        return Text(text=self._text)

    def ask(self, key: str = KEY) -> Reply:
        headers = {"idempotency-key": key} if key else {}
        return call(self.handler, {"number": 1}, scopes=["workflow:tests"], headers=headers)


@pytest.mark.parametrize("characters", [250_000, 450_000, 4_900_000])
def test_a_large_answer_is_given_again_and_the_work_is_done_once(characters: int) -> None:
    archive = Archive(characters)
    first, again = archive.ask(), archive.ask()
    assert (first.status, again.status, archive.count) == (200, 200, 1)
    assert first.body == again.body == {"text": "x" * characters}
    assert again.headers["content-type"] == "application/json"


def test_an_answer_that_grows_in_the_record_is_kept_beside_it() -> None:
    """A record holds JSON in ASCII: six bytes and more for one character."""
    archive = Archive(90_000, "語")
    assert [archive.ask().body["text"][:2] for _ in range(2)] == ["語語", "語語"]
    assert archive.count == 1


def test_a_large_answer_that_is_lost_is_not_made_again() -> None:
    archive = Archive(450_000)
    archive.ask()
    kept = admin("s3").list_objects_v2(Bucket="runs", Prefix="answers/")["Contents"]
    admin("s3").delete_object(Bucket="runs", Key=kept[0]["Key"])
    reply = archive.ask()
    assert (reply.status, reply.body["code"], archive.count) == (500, "result_too_large", 1)


def test_a_large_answer_that_s3_does_not_take_is_given_once_and_not_made_again(
    settings: Settings, log: io.StringIO
) -> None:
    archive = Archive(450_000)
    settings.set(AWS_ENDPOINT_URL_S3=fakes.nobody())
    assert archive.ask().status == 200
    reply = archive.ask()
    assert (reply.status, reply.body["code"], archive.count) == (500, "result_too_large", 1)
    assert "large answer not kept" in log.getvalue()


@pytest.mark.parametrize(("characters", "character"), [(5_000_000, "x"), (2_100_000, '"')])
def test_an_answer_that_lambda_would_not_take_is_a_problem(characters: int, character: str) -> None:
    reply = Archive(characters, character).ask("")
    assert (reply.status, reply.body["code"]) == (500, "result_too_large")
