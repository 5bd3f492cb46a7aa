"""sources.toml: valid sources, and the mapping of payloads."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from functions.api.webhooks.declared.source import Source
from functions.api.webhooks.sources import find_source, read_sources, sources
from functions.core.config import SettingsError
from functions.core.errors import InvalidParameters, NotFound
from functions.workflows.track_delivery.handler import _EMAIL_EVENTS, _REPORTS
from infra import sam
from infra.workflows import workflows
from tests.builders.deliveries import SES_EVENT

SIGNED_BY = 'scheme = "github"\nsecret = "github"\n'


def source(parameters: str) -> Source:
    return Source(scheme="github", secret="github", workflow="verify_delete", parameters=parameters)


def parameters_of(
    made: Source, payload: object, query: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any] | None:
    """Parameters of the one item that a delivery starts; none if it starts nothing."""
    items = made.items_of(payload, query)
    assert len(items) < 2
    return items[0] if items else None


def test_the_shipped_sources_are_valid_and_name_existing_workflows() -> None:
    assert set(sources()) == {"ses", "twilio", "usersnap"}
    assert {each.workflow for each in sources().values()} <= set(workflows())


def test_an_unknown_source_is_not_found() -> None:
    with pytest.raises(NotFound):
        find_source("nobody")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[a", "Expected ']'"),
        (f'[a]\n{SIGNED_BY}workflow = "x"', "a source with a workflow needs parameters"),
        (
            '[a]\nscheme = "md5"\nsecret = "a"\nworkflow = "x"\nparameters = "payload"',
            "Invalid enum value 'md5'",
        ),
        ('[a]\nscheme = "github"\nworkflow = "x"\nparameters = "payload"', "needs a secret"),
        ('[a]\nscheme = "sns"\nworkflow = "x"\nparameters = "payload"', "needs a topic"),
        (f'[a]\n{SIGNED_BY}workflow = "x"\nparameters = "{{"', "is not a JMESPath expression"),
        (
            f'[a]\n{SIGNED_BY}workflow = "x"\nparameters = "payload"\ncolour = "red"',
            "unknown field `colour`",
        ),
        (f'["A/B"]\n{SIGNED_BY}workflow = "x"\nparameters = "payload"', "matching regex"),
    ],
)
def test_an_invalid_source_is_reported(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_sources(text)
    assert sentence in str(refused.value)


def test_a_payload_becomes_parameters() -> None:
    made = source("{verification_id: payload.id, to: payload.people[0].email}")
    assert parameters_of(made, {"id": "k1.x", "people": [{"email": "a@example.com"}]}, {}) == {
        "verification_id": "k1.x",
        "to": "a@example.com",
    }


@pytest.mark.parametrize("payload", [{}, {"action": "closed"}, "text", None, [1]])
def test_an_expression_without_a_result_starts_nothing(payload: object) -> None:
    assert (
        parameters_of(source("payload.action == 'opened' && {id: payload.id}"), payload, {}) is None
    )


@pytest.mark.parametrize(
    ("expression", "payload"),
    [("payload", "text"), ("payload", [1]), ("abs(payload.amount)", {"amount": "x"})],
)
def test_a_payload_of_another_shape_is_refused(expression: str, payload: object) -> None:
    with pytest.raises(InvalidParameters):
        parameters_of(source(expression), payload, {})


def test_an_event_of_ses_becomes_a_report_without_subject_and_headers() -> None:
    assert parameters_of(find_source("ses"), SES_EVENT, {}) == {
        "provider": "ses",
        "status": "Bounce",
        "message_id": "m-1",
        "verification_id": "k1-AAAA",
        "to": "ana@example.com",
        "template": None,
        "reason": "Permanent/General",
        "occurred_at": "2026-11-24T12:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        (
            {
                "eventType": "Complaint",
                "complaint": {"complaintFeedbackType": "abuse", "timestamp": "t"},
            },
            "abuse",
        ),
        ({"eventType": "Complaint", "complaint": {"timestamp": "t"}}, None),
        ({"eventType": "Reject", "reject": {"reason": "Bad content"}}, "Bad content"),
        ({"eventType": "Delivery", "delivery": {"timestamp": "t"}}, None),
    ],
)
def test_the_reason_is_reported_where_ses_gives_one(
    about: dict[str, Any], reason: str | None
) -> None:
    made = parameters_of(find_source("ses"), {"mail": SES_EVENT["mail"]} | about, {})
    assert (made or {})["reason"] == reason


def test_track_delivery_knows_every_status_that_twilio_reports() -> None:
    """SES's topic also delivers what it reports of emails."""
    for status in _REPORTS["twilio"]:
        assert parameters_of(find_source("twilio"), {"MessageStatus": status}, {}), status
    named = re.findall(
        r"'([a-z-]+)'", str(find_source("twilio").parameters).partition("payload")[0]
    )
    assert set(named) == set(_REPORTS["twilio"])
    reported = sam.read_template()["Resources"]["CodeEmailReports"]["Properties"][
        "EventDestination"
    ]
    assert set(reported["MatchingEventTypes"]) == {*_REPORTS["ses"], *_EMAIL_EVENTS}


def test_other_messages_of_ses_start_nothing() -> None:
    text = "Successfully validated SNS topic for Amazon SES event publishing."
    assert parameters_of(find_source("ses"), text, {}) is None


def test_a_status_of_twilio_becomes_a_report_of_the_verification_that_its_url_names() -> None:
    form = {
        "MessageSid": "SM1",
        "MessageStatus": "undelivered",
        "ErrorCode": "30005",
        "To": "+14155550100",
    }
    assert parameters_of(find_source("twilio"), form, {"verification_id": "k1.AAAA"}) == {
        "provider": "twilio",
        "status": "undelivered",
        "message_id": "SM1",
        "verification_id": "k1.AAAA",
        "reason": "30005",
    }
    call = {"CallSid": "CA1", "CallStatus": "no-answer"}
    assert (parameters_of(find_source("twilio"), call, {}) or {})["message_id"] == "CA1"


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "accepted"])
def test_a_status_of_twilio_that_is_not_the_last_starts_nothing(status: str) -> None:
    assert (
        parameters_of(find_source("twilio"), {"MessageSid": "SM1", "MessageStatus": status}, {})
        is None
    )


def test_feedback_of_usersnap_becomes_an_event() -> None:
    assert parameters_of(find_source("usersnap"), {"feedback_number": 1000}, {}) == {
        "type": "usersnap.feedback",
        "data": {"feedback_number": 1000},
    }
