import io
import json

import pytest

from functions.core.log import count, logger, scrub


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
    """Quadratic, this would take hours."""
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


def test_a_metric_is_one_emf_line_with_its_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    count("VerificationSent", channel="sms")
    line = json.loads(capsys.readouterr().out)
    assert line["VerificationSent"] == [1.0]
    assert line["channel"] == "sms"
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "BackendWorkflows"
