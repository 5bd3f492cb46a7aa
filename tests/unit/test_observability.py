import io
import json
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from functions.core import config
from functions.core.errors import TooSlow
from functions.core.observability import count, logged, logger, scrub


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("to ana@example.com failed", "to a**@example.com failed"),
        ("'bo+x@mail.example.co.uk'", "'b**@mail.example.co.uk'"),
        ("Bearer wf_abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQR", "Bearer wf_***"),
        ("number +14155550123 opted out", "number +***23 opted out"),
        ("+14155550123x and +1 (415) 555-0123", "+***23x and +***23"),
        ("nothing here at 12:30", "nothing here at 12:30"),
    ],
)
def test_tokens_and_destinations_are_masked_wherever_they_stand(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


@pytest.mark.timeout(30)
@pytest.mark.parametrize("text", ["k" * 1_000_000, "a@" * 500_000, "+1" * 500_000, "wf_" * 300_000])
def test_a_long_line_costs_time_in_proportion_to_its_length(text: str) -> None:
    """With quadratic time this would take hours."""
    assert scrub(text)


def test_a_line_is_one_json_object_and_scrubbed_down_to_its_traceback(log: io.StringIO) -> None:
    try:
        int("ana@example.com")
    except ValueError:
        logger.exception("failed for ana@example.com", to="ana@example.com")
    line = json.loads(log.getvalue())
    assert line["level"] == "ERROR"
    assert line["to"] == "a**@example.com"
    assert "ana@" not in log.getvalue()


@pytest.mark.parametrize("extra", [{}, {"status": 200, "duration_ms": 3.1, "pointers": ["/to"]}])
@pytest.mark.parametrize(
    ("message", "args"),
    [
        *(("answered", ()), ("token refused", ()), ("Zürich ✓", ()), ("", ()), (" padded ", ())),
        *(("true", ()), ("null ", ()), ("Infinity", ()), ("42", ()), ('{"a": 1}', ())),
        *(("sent %s of %d", ("one", 2)), ({"a": 1}, ()), (ValueError("boom"), ())),
    ],
)
def test_a_line_is_the_one_that_powertools_writes(
    message: object,
    args: tuple[object, ...],
    extra: dict[str, Any],
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-0123;Parent=45;Sampled=0")
    with logged(trigger="http", request_id="r1", workflow="greet", order=None):
        logger.info(message, *args, extra=extra)
        assert log.getvalue() == of_powertools(log, message, args, extra)


@pytest.mark.parametrize(
    "extra",
    [
        {"trigger": "run", "exception": "mine", "xray_trace_id": "mine", "stack_trace": "mine"},
        {"level": "mine", "timestamp": "mine", "location": "mine", "service": None},
        {"at": datetime(2026, 1, 31, tzinfo=UTC), "sum": Decimal("1.10"), "raw": b"x", "n": 1e400},
    ],
)
@pytest.mark.parametrize("keys", [{}, {"name": "%(name)s", "process": "%(process)d", "module": ""}])
def test_keys_that_mean_something_to_powertools_are_written_as_it_does(
    keys: dict[str, Any], extra: dict[str, Any], log: io.StringIO
) -> None:
    with logged(trigger="http", **keys):
        logger.thread_safe_append_keys(part="4")
        logger.warning("late", extra=extra)
        assert log.getvalue() == of_powertools(log, "late", (), extra, "WARNING")


def of_powertools(
    log: io.StringIO,
    message: object,
    args: tuple[object, ...],
    extra: Mapping[str, object],
    level: str = "INFO",
) -> str:
    """The line that Powertools' own formatter writes with the keys and at the time of the last."""
    theirs = LambdaPowertoolsFormatter(use_rfc3339=True, utc=True)
    theirs.log_format = dict(logger.get_current_keys())
    number = logging.getLevelNamesMapping()[level]
    record = logging.getLogger(logger.name).makeRecord(
        logger.name, number, "", 0, message, args, None, extra=extra
    )
    record.created = datetime.fromisoformat(json.loads(log.getvalue())["timestamp"]).timestamp()
    return theirs.format(record) + "\n"


@pytest.mark.parametrize("dimensions", [{}, {"channel": "sms"}, {"a": "1", "b": "Zürich"}])
@pytest.mark.parametrize("occurrences", [1, -1, 0.5])
def test_a_metric_is_the_line_that_powertools_writes_also_the_second_time(
    occurrences: float, dimensions: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with single_metric("Counted", MetricUnit.Count, occurrences) as one:
        for name, value in dimensions.items():
            one.add_dimension(name, value)
    count("Counted", 7, **dimensions)
    count("Counted", occurrences, **dimensions)  # type: ignore[arg-type] # a half shows the float
    theirs, _, ours = capsys.readouterr().out.splitlines()
    told = json.loads(ours)
    assert told["_aws"]["Timestamp"] == pytest.approx(json.loads(theirs)["_aws"]["Timestamp"], 1e-6)
    told["_aws"]["Timestamp"] = json.loads(theirs)["_aws"]["Timestamp"]
    assert json.dumps(told, separators=(",", ":")) == theirs


def test_a_metric_has_the_time_at_which_it_is_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds in (1_800_000_000.5, 1_800_000_060.0):
        monkeypatch.setattr("functions.core.clock.now", lambda seconds=seconds: seconds)
        count("Counted")
    times = [json.loads(line)["_aws"]["Timestamp"] for line in capsys.readouterr().out.splitlines()]
    assert times == [1_800_000_000_500, 1_800_000_060_000]


def test_a_metric_is_one_emf_line_with_its_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    count("VerificationSent", channel="sms")
    line = json.loads(capsys.readouterr().out)
    assert line["VerificationSent"] == [1.0]
    assert line["channel"] == "sms"
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "BackendWorkflows"


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_lines_of_a_call_have_its_keys_whichever_module_logs_them_and_later_lines_do_not(
    log: io.StringIO,
) -> None:
    def say(name: str) -> None:
        logger.info(name)

    with logged(request_id="r1", trigger="run", item_id="run/1"):
        say("own")
        thread = threading.Thread(target=say, args=("thread",))
        thread.start()
        thread.join()
        logging.getLogger("functions.workflows.greet.handler").info("module")
        Logger().info("authors")
        logger.append_keys(order="42")
    with logged(request_id="r2"):
        say("next")
    say("later")
    keys = ("message", "request_id", "trigger", "item_id", "order")
    assert [tuple(line.get(key) for key in keys) for line in lines(log)] == [
        *((name, "r1", "run", "run/1", None) for name in ("own", "thread", "module", "authors")),
        ("next", "r2", None, None, None),
        ("later", None, None, None, None),
    ]


def test_a_call_that_fails_leaves_no_keys_behind(log: io.StringIO) -> None:
    with pytest.raises(ValueError, match="boom"), logged(request_id="r1"):
        raise ValueError("boom")
    logger.info("later")
    assert "request_id" not in lines(log)[0]


def test_a_line_of_a_module_is_scrubbed_too(log: io.StringIO) -> None:
    logging.getLogger("functions.workflows.greet.handler").warning("sent to %s", "ana@example.com")
    assert lines(log)[0]["message"] == "sent to a**@example.com"


class _Broken(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize(
    ("metric", "occurrences", "dimensions"),
    [
        ("Counted", 1, {f"dimension{number}": "x" for number in range(40)}),
        ("Counted", "many", {}),
        ("", 1, {}),
        ("x" * 300, 1, {}),
        ("Counted", 1, {"channel": object()}),
        ("Counted", 1, {"channel": type("Wrong", (), {"__str__": lambda _: 1 / 0})()}),
    ],
)
def test_a_metric_that_is_wrong_is_logged_and_the_call_goes_on(
    metric: str,
    occurrences: Any,
    dimensions: dict[str, Any],
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    count(metric, occurrences, **dimensions)
    written, told = capsys.readouterr().out, lines(log)
    assert bool(written) != bool(told), "the metric must be written, or its error logged once"
    assert [(line["message"], line["level"]) for line in told] in (
        [],
        [("metric not written; the call goes on", "WARNING")],
    )


def test_a_metric_without_a_namespace_or_an_output_is_logged_and_the_call_goes_on(
    monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("sys.stdout", _Broken())
        count("Counted")
    config.reset()
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")
    count("Counted")
    assert [(line["exception_name"], line["metric"]) for line in lines(log)] == [
        ("BrokenPipeError", "Counted"),
        ("SchemaValidationError", "Counted"),
    ]


def test_a_metric_is_no_matter_even_where_nothing_can_be_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout", _Broken())
    monkeypatch.setattr("sys.stderr", _Broken())
    monkeypatch.setattr(logger.registered_handler, "stream", _Broken())
    count("Counted")


def test_the_deadline_of_a_call_strikes_in_a_metric_as_anywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Late(io.StringIO):
        def write(self, _: str) -> int:
            raise TooSlow("The call took too long.")

    monkeypatch.setattr("sys.stdout", Late())
    with pytest.raises(TooSlow):
        count("Counted")
