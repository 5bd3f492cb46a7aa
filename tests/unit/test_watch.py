"""Terminal lines of `make run`: errors in the functions' log, failed items, refused requests."""

import json
import re
from typing import Any

import pytest

from infra.local import server
from infra.local.runs.failed_items import failure_line, has_failed
from infra.local.terminal import say
from infra.local.watch import reports
from infra.logs.line import Line, Source

GREET, WEBHOOKS = (
    Source("/aws/lambda/local-wf-greet", "greet", "greet"),
    Source("/aws/lambda/local-webhooks", "webhooks"),
)


def line(level: str, message: str, of: Source = GREET, traceback: str = "", **keys: Any) -> Line:
    return Line(of, 0, level, message, keys, traceback)


def test_an_error_is_said_with_its_request_and_its_traceback() -> None:
    told = line(
        "ERROR",
        "problem",
        traceback="Traceback\nValueError",
        status=500,
        code="internal_error",
        request_id="r1",
    )
    text = "ERROR greet: problem 500 internal_error (make logs REQUEST=r1)\nTraceback\nValueError"
    assert list(reports(told)) == [(text, "error")]


def test_a_line_that_is_no_error_is_not_shown() -> None:
    assert list(reports(line("INFO", "problem", status=422, code="invalid_parameters"))) == []
    assert list(reports(line("WARNING", "provider failed"))) == []


def test_why_a_source_of_webhooks_is_not_heard_is_said() -> None:
    told = line(
        "WARNING", "the secret is not set: make webhook-secret", WEBHOOKS, source="usersnap"
    )
    assert list(reports(told)) == [
        ("webhook of usersnap: the secret is not set: make webhook-secret", "warning")
    ]


def test_a_delivery_that_starts_no_run_is_said_with_the_call_that_tells_why() -> None:
    message = "this delivery does not fit its section of sources.toml"
    told = line("WARNING", message, WEBHOOKS, source="crm", delivery_id="8204-5d")
    assert list(reports(told)) == [
        (f"webhook of crm: {message} (GET /webhooks/crm/deliveries/8204-5d says why)", "warning")
    ]


def test_a_schedule_that_was_paused_for_its_token_is_said_with_the_reason() -> None:
    message, schedules = "not started, and paused", Source("/aws/lambda/x-schedules", "schedules")
    told = line("WARNING", message, schedules, schedule_id="a.greet.1", reason="token_revoked")
    assert list(reports(told)) == [(f"schedule a.greet.1: {message} (token_revoked)", "warning")]


def test_a_step_that_failed_is_said_with_the_reason_while_it_is_tried_again() -> None:
    told = line(
        "WARNING",
        "step will be tried again",
        traceback="Traceback\nfunctions.core.errors.NotDelivered: The receiver answered 503.",
        step="deliver",
        code="not_delivered",
    )
    text = "step will be tried again: deliver (not_delivered) The receiver answered 503."
    assert list(reports(told)) == [(f"greet: {text}", "warning")]


def test_a_denied_permission_is_said_also_where_the_call_went_on() -> None:
    text = "ClientError: Access Denied [s3:PutObject on resource: Bucket=b Key=k]"
    told = line("WARNING", "swallowed", traceback=text)
    assert list(reports(told)) == [
        ("greet: permission denied: s3:PutObject on Bucket=b Key=k", "error")
    ]


def change(before: str | None, after: str | None, **problem: str) -> dict[str, Any]:
    item = {"run_id": {"S": "greet.1"}, "index": {"N": "3"}}
    images = {"OldImage": before, "NewImage": after}
    found = {name: item | {"status": {"S": status}} for name, status in images.items() if status}
    if problem:
        found["NewImage"]["problem"] = {"S": json.dumps(problem)}
    return found


@pytest.mark.parametrize(
    ("before", "after", "failed"),
    [
        (None, "failed", True),
        ("running", "failed", True),
        ("failed", "failed", False),
        ("running", "running", False),
        ("running", "succeeded", False),
        ("failed", None, False),
    ],
)
def test_an_item_fails_once(before: str | None, after: str | None, *, failed: bool) -> None:
    assert has_failed(change(before, after)) is failed


def test_a_failed_item_is_said_with_its_run_and_why() -> None:
    told = failure_line(change("running", "failed", code="conflict", detail="It is so."))
    assert (
        told == "greet: item 3 of run greet.1 failed: conflict: It is so. (make logs RUN=greet.1)"
    )
    assert failure_line(change("running", "failed")).startswith(
        "greet: item 3 of run greet.1 failed: no problem was kept"
    )


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (
            401,
            b'{"code": "wrong_signature", "detail": "The header is missing."}',
            " wrong_signature: The header is missing.",
        ),
        (200, b'{"code": "x", "detail": "y"}', ""),
        (403, b'{"message": "Forbidden"}', ""),
        (502, b"<html>", ""),
        (500, b"", ""),
        (500, b"[1]", ""),
    ],
)
def test_a_request_that_is_refused_is_said_with_why(status: int, body: bytes, why: str) -> None:
    assert server._problem_text(status, body) == why


def test_a_shown_line_has_its_time_and_its_rows_below_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("ERROR greet: problem\nTraceback\n  File x", "error")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  ERROR greet: problem\n {10}Traceback\n {12}File x\n",
        capsys.readouterr().out,
    )


def test_faults_and_refused_deliveries_stand_out() -> None:
    calls = [
        ("/runs", 200),
        ("/runs", 422),
        ("/runs", 500),
        ("/webhooks/ses", 202),
        ("/webhooks/ses", 401),
    ]
    assert [server._tone(path, status) for path, status in calls] == [
        "plain",
        "plain",
        "error",
        "plain",
        "warning",
    ]
