"""The platform around a workflow's function: what every workflow gets without code of its own."""

import importlib
import io
import json
import logging
import subprocess
import sys
import threading
from typing import Any

import pytest

from functions.api.runs import handler as runs
from functions.api.schedules import handler as schedules
from functions.core.errors import Unavailable
from functions.core.http.gateway import MAX_BODY_BYTES
from functions.core.observability import logger
from functions.core.parameters import NOT_A_PARAMETER
from functions.core.workflow import Call, Parameters, Result, workflow
from infra import sam
from infra.generate.greet import lambda_handler as blank
from tests.builders import Context, call, http_event
from tests.documents import asking_workflow, shortest_workflow

SCOPES = ("workflow:greet",)


class Greeting(Parameters):
    name: str
    age: int | None = None


class Greeted(Result):
    text: str
    age: int | None = None


def greet(greeting: Greeting) -> Greeted:
    return Greeted(text=f"Hello, {greeting.name}", age=greeting.age)


handler = workflow(greet)


def failing(error: BaseException) -> Any:
    def fail(_: Greeting) -> Greeted:
        raise error

    return workflow(fail)


IN_THE_BODY = f"{NOT_A_PARAMETER}; those of a POST or PATCH stand in the body"


def test_a_typed_function_is_a_whole_workflow() -> None:
    reply = call(handler, {"name": "Ana"}, scopes=SCOPES)
    assert reply.status == 200
    assert reply.body == {"text": "Hello, Ana", "age": None}
    assert reply.headers == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-request-id": "request-1",
    }


def test_the_workflows_that_the_documents_show_work_as_they_say() -> None:
    assert call(shortest_workflow(), {"name": "Ana"}, scopes=SCOPES).body == {"text": "Hello, Ana"}
    shown = asking_workflow()
    assert call(shown, {"name": "Ana", "formal": True}, scopes=SCOPES).body == {
        "text": "Good day, Ana"
    }
    refused = call(shown, {"name": ""}, scopes=SCOPES)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/name")
    assert call(blank, {"name": "Ana"}, scopes=SCOPES).body == {"text": "Hello, Ana"}
    refused = call(blank, {"name": "Ana", "formal": True}, scopes=SCOPES)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/formal")


def test_a_problem_is_an_rfc_9457_document() -> None:
    reply = call(handler, {"nmae": "Ana"}, scopes=SCOPES)
    assert reply.status == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body == {
        "type": "urn:backend-workflows:problem:invalid_parameters",
        "title": "The parameters are not valid",
        "status": 422,
        "detail": "/nmae: is not a parameter here; did you mean name?; /name: is required",
        "code": "invalid_parameters",
        "request_id": "request-1",
        "retry_after_seconds": None,
        "errors": [
            {"pointer": "/nmae", "detail": "is not a parameter here; did you mean name?"},
            {"pointer": "/name", "detail": "is required"},
        ],
    }


@pytest.mark.parametrize(
    ("body", "options", "status", "code"),
    [
        ("{", {}, 400, "malformed_body"),
        ("[1]", {}, 400, "malformed_body"),
        ('"text"', {}, 400, "malformed_body"),
        ('{"name": "\\ud800"}', {}, 400, "malformed_body"),
        ("[" * 100_000, {}, 400, "malformed_body"),
        ('{"name": NaN}', {}, 400, "malformed_body"),
        ("", {}, 422, "invalid_parameters"),
        (
            "name=Ana",
            {"content_type": "application/x-www-form-urlencoded"},
            415,
            "unsupported_media_type",
        ),
        ("{}", {"content_type": "text/plain"}, 415, "unsupported_media_type"),
        ("{}", {"headers": {"content-encoding": "gzip"}}, 415, "unsupported_media_type"),
        ("{}", {"headers": {"Content-Encoding": "identity, br"}}, 415, "unsupported_media_type"),
        ("{}", {"query": "name=Ana"}, 422, "invalid_parameters"),
        ("{}", {"query": "name="}, 422, "invalid_parameters"),
        ("{}", {"query": "%E2%80%A6"}, 422, "invalid_parameters"),
        ('{"name": "' + "x" * MAX_BODY_BYTES + '"}', {}, 413, "body_too_large"),
        ("{}", {"authorized": False}, 401, "not_authenticated"),
        ("{}", {"query": "access_token=x"}, 401, "token_in_url"),
        ("{}", {"query": "a=1&key=wf_" + "a" * 43}, 401, "token_in_url"),
        ("{}", {"query": "key=%77f%5F" + "a" * 43}, 401, "token_in_url"),
        ("{}", {"scopes": ("workflow:verify_send",)}, 403, "not_permitted"),
        ("{}", {"scopes": ()}, 403, "not_permitted"),
        ("{}", {"kind": "publishable"}, 403, "not_permitted"),
    ],
)
def test_bad_requests_get_a_clear_problem(
    body: str, options: dict[str, Any], status: int, code: str
) -> None:
    reply = call(handler, body, **({"scopes": SCOPES} | options))
    assert (reply.status, reply.body["code"], reply.body["request_id"]) == (
        status,
        code,
        "request-1",
    )


def test_a_query_is_refused_by_name_and_the_body_alone_counts() -> None:
    reply = call(handler, {"name": "Ana"}, scopes=SCOPES, query="name=Eve&a/b=1")
    assert (reply.status, reply.body["errors"]) == (
        422,
        [
            {
                "pointer": "/name",
                "detail": IN_THE_BODY,
            },
            {
                "pointer": "/a~1b",
                "detail": IN_THE_BODY,
            },
        ],
    )


def test_a_publishable_token_gets_the_same_refusal_of_a_query() -> None:
    own = workflow(greet, publishable=True)
    reply = call(own, {"name": "Ana"}, scopes=SCOPES, kind="publishable", query="utm_source=x")
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/utm_source")


def test_a_compressed_body_is_refused_with_what_is_accepted() -> None:
    reply = call(handler, {"name": "Ana"}, scopes=SCOPES, headers={"content-encoding": "gzip"})
    assert (reply.status, reply.headers["accept-encoding"]) == (415, "identity")
    assert "content-encoding" in reply.body["detail"]


@pytest.mark.parametrize("encoding", ["identity", " Identity", ""])
def test_a_body_that_is_declared_as_plain_is_read(encoding: str) -> None:
    options: dict[str, Any] = {"scopes": SCOPES, "headers": {"content-encoding": encoding}}
    assert call(handler, {"name": "Ana"}, **options).status == 200


@pytest.mark.parametrize("encoded", [True, False])
def test_json_with_a_byte_order_mark_is_read(encoded: bool) -> None:  # noqa: FBT001
    reply = call(handler, '\ufeff{"name": "Ana"}', scopes=SCOPES, encoded=encoded)
    assert (reply.status, reply.body["text"]) == (200, "Hello, Ana")


@pytest.mark.parametrize(
    ("api", "route"),
    [
        (api, key)
        for api in (runs, schedules)
        for key, route in api.ROUTES.items()
        if route.query is None
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_platforms_own_routes_refuse_a_query_that_they_do_not_have(
    api: Any, route: str
) -> None:
    event = http_event({}, query="limit=5", scopes=("runs:read", "runs:write", "events:write"))
    answer = api.lambda_handler(event | {"routeKey": route}, Context())
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["errors"]) == (
        422,
        [
            {
                "pointer": "/limit",
                "detail": IN_THE_BODY,
            }
        ],
    )


def test_a_direct_answer_that_lambda_would_not_take_is_a_problem() -> None:
    def greet(greeting: Greeting) -> Greeted:
        return Greeted(text=greeting.name * 5_000_000)

    event = {"trigger": "direct", "parameters": {"name": "x"}}
    assert workflow(greet)(event, Context())["problem"]["code"] == "result_too_large"


def test_a_401_names_the_scheme() -> None:
    assert call(handler, {}, authorized=False).headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "content_type",
    [None, "application/json; charset=utf-8", "APPLICATION/JSON", "application/ld+json"],
)
def test_json_is_json_by_any_of_its_names(content_type: str | None) -> None:
    assert call(handler, {"name": "Ana"}, scopes=SCOPES, content_type=content_type).status == 200


def test_a_base64_body_is_read() -> None:
    assert call(handler, {"name": "Anä"}, scopes=SCOPES, encoded=True).body["text"] == "Hello, Anä"


def test_a_body_that_is_not_base64_is_a_problem() -> None:
    event = http_event("%%%", scopes=SCOPES) | {"isBase64Encoded": True}
    assert handler(event, Context())["statusCode"] == 400


@pytest.mark.parametrize(
    "error", [ValueError("hunter2"), RecursionError("hunter2"), MemoryError("hunter2")]
)
def test_no_exception_leaves_the_http_trigger(error: Exception, log: io.StringIO) -> None:
    reply = call(failing(error), {"name": "Ana"}, scopes=("workflow:fail",))
    assert (reply.status, reply.body["code"]) == (500, "internal_error")
    assert "hunter2" not in json.dumps(reply.body)
    line = json.loads(log.getvalue())
    assert (line["level"], line["request_id"], line["token_id"]) == (
        "ERROR",
        "request-1",
        "0123456789abcdef",
    )
    assert "hunter2" in line["exception"]


def test_a_call_that_hangs_is_answered_before_lambda_ends_it() -> None:
    def hang(_: Greeting) -> Greeted:
        threading.Event().wait(60)
        return Greeted(text="")

    answer = workflow(hang)(
        http_event({"name": "Ana"}, scopes=("workflow:hang",)), Context(remaining_ms=550)
    )
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (504, "too_slow")


def test_a_transient_error_says_when_to_come_back() -> None:
    reply = call(
        failing(Unavailable("Later.", retry_after=7)), {"name": "Ana"}, scopes=("workflow:fail",)
    )
    assert (reply.status, reply.headers["retry-after"], reply.body["retry_after_seconds"]) == (
        503,
        "7",
        7,
    )


def test_a_direct_invocation_answers_with_the_result() -> None:
    answer = handler({"trigger": "direct", "parameters": {"name": "Ana"}}, Context())
    assert answer == {"result": {"text": "Hello, Ana", "age": None}, "problem": None}


def test_a_direct_invocation_answers_a_problem_as_data() -> None:
    answer = handler({"trigger": "direct", "parameters": {}}, Context())
    assert answer["result"] is None
    assert (answer["problem"]["status"], answer["problem"]["code"]) == (422, "invalid_parameters")


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        None,
        "x",
        {"name": "Ana"},
        {"trigger": "sideways", "parameters": {}},
        {"trigger": "direct"},
    ],
)
def test_an_event_of_no_known_trigger_is_refused(event: Any) -> None:
    assert handler(event, Context())["problem"]["code"] == "invalid_parameters"


TRIGGERS = [
    {"trigger": "direct", "parameters": {"name": "Eve"}},
    {"trigger": "schedule", "parameters": {"name": "Eve"}},
    http_event({"name": "Eve"}, scopes=SCOPES),
]


@pytest.mark.parametrize("posed", TRIGGERS)
def test_parameters_sent_over_http_cannot_pose_as_another_triggers_event(
    posed: dict[str, Any],
) -> None:
    """Any body is read as parameters and needs the scope, whatever it looks like."""
    assert call(handler, posed, scopes=SCOPES).body["code"] == "invalid_parameters"
    assert call(handler, posed, scopes=()).body["code"] == "not_permitted"


@pytest.mark.parametrize("posed", TRIGGERS)
def test_a_schedules_parameters_cannot_pose_as_another_triggers_event(
    posed: dict[str, Any],
) -> None:
    answer = handler({"trigger": "schedule", "parameters": posed}, Context())
    assert answer["problem"]["code"] == "invalid_parameters"


@pytest.mark.parametrize(
    "extra", [{"requestContext": {}}, {"caller": {"kind": "secret"}}, {"request_id": "x"}]
)
def test_nothing_rides_along_in_a_direct_event(extra: dict[str, Any]) -> None:
    """An unknown field comes from another release, and has no effect."""
    seen: list[Call] = []

    def greet(greeting: Greeting, call: Call) -> Greeted:
        seen.append(call)
        return Greeted(text=greeting.name)

    event: dict[str, Any] = {"trigger": "direct", "parameters": {"name": "Ana"}}
    workflow(greet)(event, Context())
    workflow(greet)(event | extra, Context())
    assert seen == [Call(request_id=Context.aws_request_id, trigger="direct")] * 2


@pytest.mark.parametrize("error", [Unavailable("Later."), ValueError("a bug")])
def test_a_schedule_raises_retryable_errors(error: Exception) -> None:
    with pytest.raises(type(error)):
        failing(error)({"trigger": "schedule", "parameters": {"name": "Ana"}}, Context())


def test_a_schedule_does_not_repeat_a_permanent_error() -> None:
    assert handler({"trigger": "schedule", "parameters": {}}, Context())["problem"]["status"] == 422


def test_a_function_may_ask_who_calls() -> None:
    seen: list[Call] = []

    def ask(_: Greeting, call: Call) -> Greeted:
        seen.append(call)
        return Greeted(text="")

    asked = workflow(ask)
    call(asked, {"name": "Ana"}, scopes=("workflow:ask",))
    asked({"trigger": "schedule", "parameters": {"name": "Ana"}}, Context())
    over_http, scheduled = seen
    assert (over_http.trigger, over_http.client_ip, over_http.publishable) == (
        "http",
        "192.0.2.1",
        False,
    )
    assert over_http.caller is not None
    assert over_http.caller.token_id == "0123456789abcdef"
    assert (scheduled.trigger, scheduled.caller, scheduled.publishable) == ("schedule", None, False)


def test_a_public_workflow_is_called_without_a_token_and_looks_at_none() -> None:
    seen: list[Call] = []

    def ask(_: Greeting, call: Call) -> Greeted:
        seen.append(call)
        return Greeted(text="")

    asked = workflow(ask, public=True, background=False, idempotency="ignored")
    statuses = [
        call(asked, {"name": "Ana"}, authorized=authorized, scopes=()).status
        for authorized in (False, True)
    ]
    assert statuses == [200, 200]
    assert [(each.caller, each.client_ip, each.domain) for each in seen] == [
        (None, "192.0.2.1", "api.example.com")
    ] * 2


@pytest.mark.parametrize("traits", [{}, {"background": False}, {"idempotency": "refused"}])
def test_a_public_workflow_that_would_keep_something_for_a_token_cannot_be_made(
    traits: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match="public workflow says background=False"):
        workflow(greet, public=True, **traits)


def test_every_call_is_one_log_line_that_says_how_it_went(log: io.StringIO) -> None:
    call(handler, {"name": "Ana"}, scopes=SCOPES)
    call(handler, {"name": 1}, scopes=SCOPES)
    handler({"trigger": "direct", "parameters": {"name": "Ana"}}, Context())
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    told = [
        (line["message"], line["trigger"], line["workflow"], line["status"], line.get("token_id"))
        for line in lines
    ]
    assert told == [
        ("answered", "http", "greet", 200, "0123456789abcdef"),
        ("problem", "http", "greet", 422, "0123456789abcdef"),
        ("answered", "direct", "greet", 200, None),
    ]
    assert "Ana" not in log.getvalue()


@pytest.mark.timeout(30)
def test_an_unknown_parameters_name_is_told_shortened_and_never_logged(log: io.StringIO) -> None:
    """Any text a client puts there, a code or a megabyte, costs nothing and is not logged."""
    name = "987654" + "k" * 1_000_000
    reply = call(handler, {"name": "Ana", name: 1}, scopes=SCOPES)
    assert reply.body["errors"][0]["pointer"] == f"/{name[:64]}"
    assert "987654" not in log.getvalue()


def test_init_prepares_in_lambda_only(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[bool] = []
    workflow(greet, prepare=[lambda: prepared.append(True)])
    assert prepared == []
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "greet")
    workflow(greet, prepare=[lambda: prepared.append(True)])
    assert prepared == [True]


def test_an_init_that_cannot_reach_aws_leaves_it_to_the_first_request(
    monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    def prepare() -> None:
        raise Unavailable("Secrets Manager is not available right now.")

    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "greet")
    assert call(workflow(greet, prepare=[prepare]), {"name": "Ana"}, scopes=SCOPES).status == 200
    assert "init could not prepare everything" in log.getvalue()


def test_modules_of_background_runs_are_not_imported_before() -> None:
    """A cold start of the HTTP trigger does not pay for it."""
    code = (
        "import sys, functions.core.workflow; "
        "print([name for name in sys.modules if '.runs' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=sam.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_every_line_of_a_call_says_which_call_it_is_of(log: io.StringIO) -> None:
    """Includes the author's own lines, for every trigger.

    A call leaves no keys for the next one.
    """

    def greet(greeting: Greeting) -> Greeted:
        logger.info("mine", greeted=len(greeting.name))
        logging.getLogger("functions.workflows.greet.handler").info("my module's")
        thread = threading.Thread(target=lambda: logger.info("my thread's"))
        thread.start()
        thread.join()
        if greeting.name == "boom":
            raise RuntimeError("boom")
        return Greeted(text="")

    own = workflow(greet)
    direct = Context.aws_request_id
    call(own, {"name": "boom"}, scopes=SCOPES)
    own({"trigger": "direct", "parameters": {"name": "Ana"}}, Context())
    own({"trigger": "schedule", "parameters": {"name": "Ana"}}, Context())
    own({"trigger": "validate", "items": [{}]}, Context())
    own({"trigger": ["no trigger"]}, Context())
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    mine = ["mine", "my module's", "my thread's"]
    keys = ("message", "workflow", "trigger", "request_id", "token_id")
    assert [tuple(line.get(key) for key in keys) for line in lines] == [
        *(
            (message, "greet", "http", "request-1", "0123456789abcdef")
            for message in [*mine, "problem"]
        ),
        *((message, "greet", "direct", direct, None) for message in [*mine, "answered"]),
        *((message, "greet", "schedule", direct, None) for message in [*mine, "answered"]),
        ("answered", "greet", "validate", direct, None),
        ("problem", "greet", "direct", direct, None),
    ]


@pytest.mark.parametrize(
    "name", ["authorize", "documents", "events", "runs", "schedules", "webhooks"]
)
def test_the_lines_of_the_platforms_own_functions_say_it_too(
    name: str,
    log: io.StringIO,
    cloud: None,  # noqa: ARG001
) -> None:
    handler = importlib.import_module(f"functions.api.{name}.handler").lambda_handler
    event = json.loads((sam.ROOT / f"tests/events/{name}.json").read_text())
    unknown = {"routeKey": "GET /nothing", "pathParameters": None}
    unreadable = {"Records": [{"eventName": "MODIFY"}]}
    handler(
        event | {"authorize": {}, "schedules": {}, "events": unreadable}.get(name, unknown),
        Context(),
    )
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    triggers = {"events": "stream", "schedules": "schedule"}
    request_id = (
        Context.aws_request_id if name in triggers else event["requestContext"]["requestId"]
    )
    assert {(line["trigger"], line["request_id"]) for line in lines} == {
        (triggers.get(name, "http"), request_id)
    }
    assert not {"trigger", "request_id"} & logger.get_current_keys().keys(), (
        "the next call starts afresh"
    )
