"""Log events of CloudWatch Logs read into lines: the wanted ones, each once, and their display."""

import io
import json
import time
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.logs.denied import Denied, find_denied
from infra.logs.filters import LineFilter
from infra.logs.line import Line, Source, read_lines, source_of
from infra.logs.reading import Tail, read
from infra.logs.text import is_coloured, shown

GREET = Source("/aws/lambda/app-wf-greet", "greet", "greet")
RUNS = Source("/aws/lambda/app-runs", "runs")
NOW = int(time.time() * 1000)


def event(message: object, at: int = NOW, stream: str = "s1", **more: Any) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"message": text, "timestamp": at, "logStreamName": stream} | more


def line(message: str = "answered", source: Source = GREET, **keys: Any) -> Line:
    (found,) = read_lines(source, [event({"level": "INFO", "message": message} | keys)])
    return found


@pytest.mark.parametrize(
    ("group", "source"),
    [
        ("/aws/lambda/app-wf-greet", GREET),
        ("/aws/lambda/app-runs", RUNS),
        ("/aws/lambda/other-wf-greet", Source("/aws/lambda/other-wf-greet", "other-wf-greet")),
        ("/aws/vendedlogs/app-api", Source("/aws/vendedlogs/app-api", "api")),
    ],
)
def test_a_log_group_names_its_function_and_workflow(group: str, source: Source) -> None:
    assert source_of(group, "app") == source


def test_a_line_of_ours_has_its_keys_and_its_traceback() -> None:
    told = {
        "level": "ERROR",
        "message": "problem",
        "service": "greet",
        "timestamp": "2026-11-23T00:05:59.000+00:00",
        "request_id": "r1",
        "workflow": "greet",
        "exception": (
            'Traceback:\n  File "/var/task/functions/core/workflow.py", line 1, in run\n'
            '  File "/home/ana/.venv/lib/site-packages/jinja2/loaders.py", line 2, in it\n'
            "ValueError: boom"
        ),
        "exception_name": "ValueError",
        "stack_trace": {"frames": []},
    }
    (found,) = read_lines(RUNS, [event(told)])
    assert (found.level, found.message, found.about) == ("ERROR", "problem", "greet")
    assert found.keys == {"request_id": "r1", "workflow": "greet"}
    assert found.traceback == (
        'Traceback:\n  File "functions/core/workflow.py", line 1, in run\n'
        '  File "jinja2/loaders.py", line 2, in it\nValueError: boom'
    )


def test_metrics_and_lambdas_own_lines_are_left_out() -> None:
    events = [
        event("START RequestId: 1 Version: $LATEST"),
        event({"_aws": {}, "Counted": [1.0]}),
        event("null"),
        event("END RequestId: 1"),
        event("REPORT RequestId: 1\tDuration: 3 ms"),
    ]
    assert list(read_lines(GREET, events)) == []


@pytest.mark.parametrize(
    "text",
    [
        (
            "[ERROR] Runtime.ImportModuleError: "
            "Unable to import module 'functions.workflows.greet.handler'"
        ),
        "2026-11-23T00:05:59Z 7a34 Task timed out after 245.00 seconds",
        "RequestId: 7a34 Error: Runtime exited with error: exit status 3",
        "INIT_REPORT Init Duration: 9999 ms\tPhase: init\tStatus: timeout",
        "Worker process died",
    ],
)
def test_a_function_that_ends_without_a_line_of_ours_is_an_error(text: str) -> None:
    assert [(each.level, each.message) for each in read_lines(GREET, [event(text)])] == [
        ("ERROR", text)
    ]


def test_text_that_was_written_at_once_is_one_line() -> None:
    rows = [
        "Exception in thread Thread-1:",
        "Traceback (most recent call last):",
        "  File x",
        "ValueError: boom",
    ]
    events = [event(row) for row in rows] + [
        event("another call's", stream="s2"),
        event("later", NOW + 1),
    ]
    found = list(read_lines(GREET, events))
    assert [(each.level, each.message) for each in found] == [
        ("ERROR", rows[0]),
        ("INFO", "another call's"),
        ("INFO", "later"),
    ]
    assert found[0].traceback == "\n".join(rows[1:])


@pytest.mark.parametrize("text", ["{not json", "{}", '["a"]', '{"a":' * 100_000, "\x00"])
def test_any_line_can_be_read(text: str) -> None:
    assert len(list(read_lines(GREET, [event(text)]))) == 1


@pytest.mark.parametrize(
    ("wanted", "matches", "pattern"),
    [
        (LineFilter(), "abcd", ""),
        (LineFilter(request="r1"), "ad", '{ ($.request_id = "r1") }'),
        (LineFilter(run="greet.1"), "b", '{ ($.run_id = "greet.1") }'),
        (LineFilter(workflow="greet"), "abc", '{ ($.workflow = "greet") }'),
        (
            LineFilter("r1", "greet.1", "greet"),
            "",
            '{ ($.request_id = "r1") && ($.run_id = "greet.1") && ($.workflow = "greet") }',
        ),
    ],
)
def test_the_filter_applies_in_cloudwatch_and_here(
    wanted: LineFilter, matches: str, pattern: str
) -> None:
    lines = {
        "a": line(request_id="r1", workflow="greet"),
        "b": line(source=RUNS, request_id="r2", run_id="greet.1", workflow="greet"),
        "c": line(request_id="r3"),
        "d": next(read_lines(RUNS, [event("RequestId: r1 Error: Runtime exited")])),
    }
    assert "".join(name for name, each in lines.items() if wanted.matches(each)) == matches
    assert wanted.pattern(RUNS) == pattern


def test_all_lines_of_a_workflows_own_function_are_of_the_workflow() -> None:
    assert LineFilter(workflow="greet").pattern(GREET) == ""


@pytest.mark.parametrize("text", ['x" || $.level = "ERROR', "a b", "{", "*"])
def test_an_impossible_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid id"):
        LineFilter(request=text).refuse_invalid()


@pytest.mark.parametrize(
    "text", ["JKJaXmPLvHcESHA=", "46b66737-acf4-4b6c-b31c-cfe81c938c33", "greet.8984d883"]
)
def test_ids_as_they_are_given_out_are_taken(text: str) -> None:
    LineFilter(text, text, text).refuse_invalid()


def test_aws_is_asked_for_the_wanted_lines_of_the_span_page_by_page() -> None:
    logs = boto3.client("logs")
    span = {
        "logGroupName": RUNS.group,
        "startTime": 1,
        "endTime": 2,
        "filterPattern": '{ ($.request_id = "r1") }',
    }
    answer = {"message": "answered", "request_id": "r1"}
    with Stubber(logs) as stub:
        stub.add_response(
            "filter_log_events",
            {"events": [event(answer, 2, eventId="e2")], "nextToken": "more"},
            span,
        )
        stub.add_response(
            "filter_log_events",
            {"events": [event(answer, 1, eventId="e1")]},
            span | {"nextToken": "more"},
        )
        found = read(logs, [RUNS], LineFilter(request="r1"), 1, 2)
        stub.assert_no_pending_responses()
    assert [each.at_ms for each in found] == [1, 2]


def test_a_group_that_nothing_was_logged_to_yet_has_no_lines() -> None:
    logs = boto3.client("logs")
    with Stubber(logs) as stub:
        stub.add_client_error("filter_log_events", "ResourceNotFoundException")
        assert read(logs, [RUNS], LineFilter(), 1, 2) == []


class Logs:
    """CloudWatch Logs that returns its events from a time on, and may fail."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.asked: list[int] = []
        self.fails = False

    def get_paginator(self, name: str) -> "Logs":
        assert name == "filter_log_events"
        return self

    def paginate(self, *, logGroupName: str, startTime: int) -> list[dict[str, Any]]:  # noqa: N803 - AWS's names
        assert logGroupName == GREET.group
        self.asked.append(startTime)
        if self.fails:
            raise boto3.client("logs").exceptions.ClientError(
                {"Error": {"Code": "InternalError"}}, "FilterLogEvents"
            )
        return [{"events": [each for each in self.kept if each["timestamp"] >= startTime]}]

    def log(self, message: str, at: int, **more: Any) -> None:
        self.kept.append(event({"message": message}, at, **more))


@pytest.mark.parametrize("ids", [True, False], ids=["as AWS", "as the emulator, without ids"])
def test_a_tail_tells_each_line_once_also_equal_ones_and_late_ones(*, ids: bool) -> None:
    logs, numbers = Logs(), iter(range(100))
    tail = Tail(logs, LineFilter(), NOW, late_ms=3_600_000)

    def log(message: str, at: int) -> None:
        logs.log(message, at, **({"eventId": str(next(numbers))} if ids else {}))

    def new() -> list[str]:
        return [each.message for each in tail.new([GREET])]

    log("old", NOW - 1)
    log("same", NOW + 10)
    log("same", NOW + 10)
    assert new() == ["same", "same"]
    assert new() == []
    log("same", NOW + 10)
    log("late", NOW + 5)
    assert new() == ["late", "same"]
    assert new() == []


def test_a_tail_reads_nothing_again_once_nothing_can_be_late() -> None:
    logs = Logs()
    tail = Tail(logs, LineFilter(), NOW - 60_000, late_ms=2_000)
    logs.log("long ago", NOW - 50_000)
    assert [len(tail.new([GREET])) for _ in range(2)] == [1, 0]
    assert logs.asked == [NOW - 60_000, NOW - 50_000 + 1]


def test_a_look_that_fails_loses_nothing() -> None:
    logs = Logs()
    tail = Tail(logs, LineFilter(), NOW, late_ms=2_000)
    logs.log("first", NOW)
    logs.fails = True
    assert tail.new([GREET]) == []
    logs.fails = False
    assert [each.message for each in tail.new([GREET])] == ["first"]


def test_a_line_is_shown_with_its_keys_and_its_traceback_below() -> None:
    told = line(
        "problem", request_id="r1", workflow="greet", trigger="http", index=0, token_id=None
    )._replace(level="ERROR", traceback="Traceback\n  File x")
    head, *below = shown(told).split("\n")
    assert head.endswith("  ERROR    greet: problem  trigger=http request_id=r1 index=0")
    assert below == ["    Traceback", "      File x"]


def test_no_line_steers_the_terminal() -> None:
    text = shown(line("a\x1b[2Jb\x9b\r", name="x\x07"), coloured=True)
    assert {character for character in text if character < " "} == {"\x1b"}
    assert "\x1b[2J" not in text
    assert text.count("\x1b") == 2, "only the codes for the keys' quiet colour may appear"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "coloured"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_colours_are_for_terminals_and_for_who_wants_them(
    stream: io.StringIO,
    variables: dict[str, str],
    *,
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_coloured(stream) is coloured
    assert (
        "\x1b[31m" in shown(line()._replace(level="ERROR"), coloured=is_coloured(stream))
    ) is coloured


USER = (
    "User: arn:aws:sts::1:assumed-role/app-GreetRole-1A/app-wf-greet is not authorized to perform"
)


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        (
            (
                f"{USER}: dynamodb:PutItem on resource: arn:aws:dynamodb:x:1:table/t "
                "because no identity-based policy allows"
            ),
            Denied("dynamodb:PutItem", "arn:aws:dynamodb:x:1:table/t", "app-GreetRole-1A"),
        ),
        (
            (
                f"{USER}: kms:Sign on resource: arn:aws:kms:eu-west-1:1:key/1 "
                "with an explicit deny in a resource-based policy"
            ),
            Denied("kms:Sign", "arn:aws:kms:eu-west-1:1:key/1", "app-GreetRole-1A"),
        ),
        (
            (
                f'{USER}: s3:PutObject on resource: "arn:aws:s3:::bucket/a b" '
                "because no identity-based policy allows it"
            ),
            Denied("s3:PutObject", "arn:aws:s3:::bucket/a b", "app-GreetRole-1A"),
        ),
        (
            (
                f"{USER}: dynamodb:GetItem because no policy allows it "
                "[dynamodb:GetItem on resource: TableName=app-tokens]"
            ),
            Denied("dynamodb:GetItem", "TableName=app-tokens", "app-GreetRole-1A"),
        ),
        (
            (
                "An error occurred (AccessDenied) …: Access Denied "
                "[s3:PutObject on resource: Bucket=app-runs Key=runs/1]\nmore"
            ),
            Denied("s3:PutObject", "Bucket=app-runs Key=runs/1", ""),
        ),
        (
            "User: x is not authorized to perform: SNS:Publish on resource: *",
            Denied("SNS:Publish", "*", ""),
        ),
        ("ValueError: nothing was denied", None),
    ],
)
def test_a_denied_permission_is_found_in_an_errors_text(text: str, denied: Denied | None) -> None:
    assert find_denied(text) == denied


def test_a_denied_permission_is_one_clear_line() -> None:
    told = (
        "permission denied: kms:Sign on KeyId=1 "
        "(its role in template.yaml, app-GreetRole, does not allow it)"
    )
    assert str(Denied("kms:Sign", "KeyId=1", "app-GreetRole")) == told
