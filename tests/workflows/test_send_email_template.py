from collections.abc import Iterator
from typing import Any

import pytest

from functions.core import aws
from functions.core.messages import email
from functions.core.rate_limits.limits import LimitRecord
from functions.workflows.send_email_template.handler import lambda_handler as send_email_template
from tests import fakes
from tests.builders import Context, call, http_event
from tests.workflows.conftest import Clock, Settings, sent_emails

pytestmark = pytest.mark.usefixtures("cloud", "early_in_a_day")

DATA = {
    "subject": "On its way",
    "heading": "Your order",
    "paragraphs": ["Hello Ana,", "It comes on Thursday."],
}


@pytest.fixture(autouse=True)
def _hosts(settings: Settings) -> None:
    settings.set(LINK_HOSTS="app.example.com", REPLY_TO_DOMAINS="example.com")


@pytest.fixture
def to_ses() -> Iterator[list[dict[str, Any]]]:
    """Requests to SES, one per call."""
    asked: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        asked.append(params)

    email.prepare()
    events = aws.client("sesv2", attempts=1).meta.events
    events.register("provide-client-params.sesv2.SendEmail", note)
    yield asked
    events.unregister("provide-client-params.sesv2.SendEmail", note)


def send(to: object = "ana@example.com", data: object = DATA, **parameters: object) -> Any:
    return call(send_email_template, {"to": to, "template": "message", "data": data} | parameters)


def test_an_email_is_sent_with_its_text_and_html() -> None:
    reply = send()
    assert reply.status == 200
    assert (reply.body["sent"], reply.body["failed"]) == (1, 0)
    (mail,) = sent_emails()
    assert mail.destinations["ToAddresses"] == ["ana@example.com"]
    assert mail.subject == "On its way"
    assert "It comes on Thursday." in mail.body


def test_the_answer_names_each_message_and_masks_its_address() -> None:
    (message,) = send().body["messages"]
    assert message["to"] == "a**@example.com"
    assert message["message_id"]
    assert message["problem"] is None


def test_each_recipient_gets_a_message_of_their_own() -> None:
    reply = send(["ana@example.com", "bo@example.com", "Zoë@exämple.com".replace("ë", "e")])
    assert [message["to"] for message in reply.body["messages"]] == [
        "a**@example.com",
        "b**@example.com",
        "Z**@exämple.com",
    ]
    assert [mail.destinations["ToAddresses"] for mail in sent_emails()] == [
        ["ana@example.com"],
        ["bo@example.com"],
        ["Zoe@xn--exmple-cua.com"],
    ]


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"to": "nobody"}, "/to"),
        ({"to": ["ana@example.com", "nobody"]}, "/to/1"),
        ({"to": ["ana@example.com", "Ana@Example.com"]}, "/to/1"),
        ({"to": []}, "/to"),
        ({"to": [f"a{number}@example.com" for number in range(51)]}, "/to"),
        ({"to": "ana@example.com\r\nBcc: eve@example.org"}, "/to"),
        ({"template": "verification"}, "/template"),
        ({"template": "../message"}, "/template"),
        ({"data": {}}, "/data/subject"),
        ({"data": DATA | {"colour": "red"}}, "/data/colour"),
        ({"data": DATA | {"paragraphs": []}}, "/data/paragraphs"),
        ({"data": DATA | {"paragraphs": ["ok", "x\u202ey"]}}, "/data/paragraphs/1"),
        ({"data": DATA | {"subject": "x\r\nBcc: eve@example.org"}}, "/data/subject"),
        (
            {"data": DATA | {"button": {"label": "Go", "url": "https://evil.example"}}},
            "/data/button/url",
        ),
        (
            {"data": DATA | {"button": {"label": "Go", "url": "http://app.example.com"}}},
            "/data/button/url",
        ),
        ({"reply_to": "help@evil.example"}, "/reply_to"),
        ({"reply_to": "help@example.com\r\nBcc: eve@example.org"}, "/reply_to"),
        ({"tags": {"a": "b c"}}, "/tags"),
        ({"tags": {"x:y": "1"}}, "/tags"),
        ({"tags": {"verification_id": "k1-d6AAAAAAAAAAAAAAAAAAAAAA"}}, "/tags/verification_id"),
    ],
)
def test_invalid_parameters_are_named_before_anything_is_sent_or_charged(
    parameters: dict[str, Any], pointer: str
) -> None:
    reply = send(**parameters)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, pointer), reply.body
    assert sent_emails() == []
    assert list(LimitRecord.scan()) == []


def test_answers_go_to_an_address_of_the_configured_domains(to_ses: list[dict[str, Any]]) -> None:
    send(reply_to="help@example.com")
    assert to_ses[0]["ReplyToAddresses"] == ["help@example.com"]


def test_ses_gets_the_tags_and_the_configuration_set(
    to_ses: list[dict[str, Any]], settings: Settings
) -> None:
    settings.set(EMAIL_CONFIGURATION_SET="template-emails")
    send(tags={"order": "1042", "template": "mine"})
    assert to_ses[0]["EmailTags"] == [
        {"Name": "order", "Value": "1042"},
        {"Name": "template", "Value": "message"},
    ]
    assert to_ses[0]["ConfigurationSetName"] == "template-emails"


def test_without_an_unsubscribe_url_there_is_no_such_header(to_ses: list[dict[str, Any]]) -> None:
    send()
    assert to_ses[0]["Content"]["Simple"]["Headers"] == [
        {"Name": "Auto-Submitted", "Value": "auto-generated"}
    ]


def test_one_click_unsubscribes(to_ses: list[dict[str, Any]]) -> None:
    url = "https://app.example.com/unsubscribe?who=8f2c"
    send(data=DATA | {"unsubscribe_url": url})
    headers = {each["Name"]: each["Value"] for each in to_ses[0]["Content"]["Simple"]["Headers"]}
    assert headers["List-Unsubscribe"] == f"<{url}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_an_unsubscribe_link_serves_one_person() -> None:
    data = DATA | {"unsubscribe_url": "https://app.example.com/unsubscribe?who=8f2c"}
    reply = send(["ana@example.com", "bo@example.com"], data)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/data/unsubscribe_url")
    assert sent_emails() == []


def test_no_value_becomes_a_header(to_ses: list[dict[str, Any]]) -> None:
    """Each header is a parameter of SES, or is this project's own with a URL.

    Such a URL has no line break and no angle bracket.
    """
    send(data=DATA | {"unsubscribe_url": "https://app.example.com/>\r\nBcc: eve@example.org"})
    send(data=DATA | {"unsubscribe_url": "https://app.example.com/>"})
    assert to_ses == []


def test_a_mailbox_gets_so_many_a_day_however_it_is_spelled(
    settings: Settings, clock: Clock
) -> None:
    settings.set(RECIPIENT_EMAILS_PER_DAY=2)
    assert [
        send(to).status for to in ("ana@gmail.com", "An.a+x@gmail.com", "ana@googlemail.com")
    ] == [200, 200, 429]
    assert send("bo@example.com").status == 200
    clock.advance(86_400)
    assert send("ana@gmail.com").status == 200


def test_a_recipient_over_the_limit_is_named_and_nobody_else_is_charged(settings: Settings) -> None:
    settings.set(RECIPIENT_EMAILS_PER_DAY=1)
    send("bo@example.com")
    reply = send(["ana@example.com", "bo@example.com"])
    assert (reply.status, reply.body["code"]) == (429, "limit_exceeded")
    detail = "has reached its limit; leave it out or try again later"
    assert reply.body["errors"] == [{"pointer": "/to/1", "detail": detail}]
    assert int(reply.headers["retry-after"]) > 0
    assert send("ana@example.com").status == 200
    assert len(sent_emails()) == 2


def test_spellings_of_one_mailbox_in_one_call_count_each(settings: Settings) -> None:
    settings.set(RECIPIENT_EMAILS_PER_DAY=2)
    assert send(["ana+1@example.com", "ana+2@example.com", "ana+3@example.com"]).status == 429
    assert send(["ana+1@example.com", "ana+2@example.com"]).status == 200
    assert send("ana@example.com").status == 429


def test_the_deployment_has_a_ceiling_of_its_own(settings: Settings) -> None:
    settings.set(TEMPLATE_EMAILS_PER_DAY=2)
    assert send(["a@example.com", "b@example.com", "c@example.com"]).status == 429
    assert send(["a@example.com", "b@example.com"]).status == 200
    refused = send("c@example.com")
    assert (refused.status, refused.headers["ratelimit-policy"]) == (
        429,
        '"template-emails";q=2;w=86400',
    )


def test_a_limits_key_names_no_address() -> None:
    send()
    assert not [limit.limit_key for limit in LimitRecord.scan() if "ana" in limit.limit_key]


def test_a_refusal_of_ses_is_a_502_and_not_charged_to_the_mailbox(settings: Settings) -> None:
    settings.set(EMAIL_FROM="nobody@unverified.example", RECIPIENT_EMAILS_PER_DAY=1)
    assert (send().status, send().status) == (502, 502)
    settings.set(EMAIL_FROM="no-reply@example.com")
    assert send().status == 200


def test_ses_out_of_reach_is_a_503_and_not_charged_to_the_mailbox(settings: Settings) -> None:
    settings.set(AWS_ENDPOINT_URL_SESV2=fakes.nobody(), RECIPIENT_EMAILS_PER_DAY=1)
    reply = send()
    assert (reply.status, reply.body["code"]) == (503, "provider_unavailable")
    assert reply.headers["retry-after"]
    settings.unset("AWS_ENDPOINT_URL_SESV2")
    assert send().status == 200


def test_a_message_that_may_have_been_sent_stays_charged(settings: Settings) -> None:
    settings.set(RECIPIENT_EMAILS_PER_DAY=1)
    with fakes.server(fakes.answers(503, b"{}")) as url:
        settings.set(AWS_ENDPOINT_URL_SESV2=url)
        assert send().status == 503
        assert send().status == 429


def test_the_answer_tells_each_recipients_outcome(settings: Settings) -> None:
    """SES refuses the second message of three."""
    answered = iter([(200, b'{"MessageId": "m1"}'), (400, b"{}"), (200, b'{"MessageId": "m3"}')])

    def script(request: Any, _: bytes) -> None:
        status, answer = next(answered)
        fakes.reply(
            request,
            status,
            answer,
            {"x-amzn-ErrorType": "MessageRejected"} if status == 400 else {},
        )

    with fakes.server(script) as url:
        settings.set(AWS_ENDPOINT_URL_SESV2=url)
        reply = send(["a@example.com", "b@example.com", "c@example.com"])
    assert (reply.status, reply.body["sent"], reply.body["failed"]) == (200, 2, 1)
    assert [message["message_id"] for message in reply.body["messages"]] == ["m1", None, "m3"]
    assert [
        message["problem"] and message["problem"]["code"] for message in reply.body["messages"]
    ] == [
        None,
        "provider_refused",
        None,
    ]


def test_without_time_left_a_message_is_not_begun() -> None:
    answer = send_email_template(
        http_event({"to": "ana@example.com", "template": "message", "data": DATA}), Context(9000)
    )
    assert answer["statusCode"] == 504
    assert sent_emails() == []


def test_a_call_is_1_dynamodb_request_for_any_number_of_recipients(
    dynamodb_requests: list[str],
) -> None:
    send([f"a{number}@example.com" for number in range(50)])
    assert dynamodb_requests == ["TransactWriteItems"]
    assert len(sent_emails()) == 50


def test_addresses_are_read_as_people_paste_them() -> None:
    to = [" ana@example.com\n", "\u202abo@example.com\u202c", "cy@exam\u200bple.com\u00a0"]
    assert send(to=to).body["sent"] == 3
    assert [mail.destinations["ToAddresses"] for mail in sent_emails()] == [
        ["ana@example.com"],
        ["bo@example.com"],
        ["cy@example.com"],
    ]


def test_a_publishable_token_cannot_send() -> None:
    body = {"to": "ana@example.com", "template": "message", "data": DATA}
    reply = call(send_email_template, body, kind="publishable")
    assert (reply.status, reply.body["code"]) == (403, "not_permitted")
    assert sent_emails() == []


def test_a_list_is_checked_whole_before_a_run_over_it_starts() -> None:
    """Includes rules beyond types: recipients, and the template's own variables."""
    items = [
        {"to": "ana@example.com", "template": "message", "data": DATA},
        {"to": "nobody", "template": "message", "data": DATA},
        {"to": "ana@example.com", "template": "message", "data": {}},
    ]
    answer = send_email_template({"trigger": "validate", "items": items}, Context())
    found = [(each["index"], each["errors"][0]["pointer"]) for each in answer["problems"]]
    assert found == [(1, "/to"), (2, "/data/subject")]
    assert sent_emails() == []


def test_cells_of_a_list_are_read_as_the_variables_of_the_template_expect() -> None:
    data = {
        "subject": "null",
        "heading": "NaN",
        "paragraphs": '["One", "Two"]',
        "button": '{"label": "Go", "url": "https://app.example.com/go"}',
    }
    items = [
        {"to": " ana@example.com\u00a0", "template": "message", "data": data},
        {"to": '["ana@example.com", "bo@example.com"]', "template": "message", "data": data},
        {"to": "bo@example.com", "template": "message", "data": data | {"paragraphs": "One"}},
    ]
    event = {"trigger": "validate", "items": items, "lenient": True}
    answer = send_email_template(event, Context())
    assert answer["problems"] == [
        {
            "index": 2,
            "errors": [{"pointer": "/data/paragraphs", "detail": "must be a list, not text"}],
        }
    ]
