"""A link beside the code: the email's button opens a page of the app, which gets id and code."""

import html
import io
import re
from urllib.parse import parse_qs, urldefrag

import pytest

from functions.core.verification.record import Verification
from functions.workflows.verify_send.handler import lambda_handler as verify_send
from tests.builders.http import Context
from tests.builders.verifications import check, last_code, send
from tests.clock import Clock
from tests.workflows.conftest import Settings, sent_emails, sent_sms

pytestmark = pytest.mark.usefixtures("cloud", "own_host")

PAGE = "https://app.example.com/verify?next=/start&lang=de"


@pytest.fixture
def own_host(settings: Settings) -> None:
    settings.set(LINK_HOSTS="app.example.com")


def links() -> list[str]:
    """Addresses of the links in the newest email."""
    return [html.unescape(each) for each in re.findall(r'href="([^"]+)"', sent_emails()[-1].body)]


def opened(url: str) -> dict[str, str]:
    """What a page finds in its fragment, as URLSearchParams reads it."""
    return {name: value for name, (value,) in parse_qs(urldefrag(url).fragment).items()}


def test_the_button_opens_the_page_with_id_and_code_where_no_server_sees_them() -> None:
    sent = send(link=PAGE)
    (url,) = links()
    assert urldefrag(url).url == PAGE
    assert opened(url) == {
        "verification_id": sent.body["verification_id"],
        "code": last_code(),
    }
    assert check(**opened(url)).body["valid"] is True


def test_the_code_can_still_be_typed() -> None:
    sent = send(link=PAGE)
    assert check(sent.body["verification_id"], last_code()).body["valid"] is True


def test_without_a_link_there_is_none() -> None:
    send(link="")
    assert links() == []


def test_the_link_is_kept_nowhere_and_a_resend_takes_it_again(clock: Clock) -> None:
    first = send(link=PAGE).body
    stored = Verification.get(first["verification_id"])
    assert "app.example.com" not in str(stored.attribute_values)
    clock.advance(60)
    send(resend_of=first["verification_id"])
    assert links() == []
    clock.advance(120)
    again = send(resend_of=first["verification_id"], link=PAGE).body
    (url,) = links()
    assert again["verification_id"] == first["verification_id"]
    assert opened(url)["verification_id"] == first["verification_id"]


def test_a_stranger_may_not_choose_the_page_unless_a_setting_says_so(
    settings: Settings, dynamodb_requests: list[str]
) -> None:
    refused = send(link=PAGE, kind="publishable")
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/link")
    assert "secret token" in refused.body["errors"][0]["detail"]
    assert (dynamodb_requests, sent_emails()) == ([], [])
    settings.set(PUBLISHABLE_LINKS="true")
    assert send(link=PAGE, kind="publishable").status == 200
    assert len(links()) == 1


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "voice"])
def test_only_an_email_has_room_for_a_link(channel: str) -> None:
    refused = send("+14155550123", channel=channel, link=PAGE)
    assert (refused.status, refused.body["code"]) == (422, "invalid_parameters")
    assert refused.body["errors"] == [
        {"pointer": "/link", "detail": "is only for the channel email"}
    ]
    assert sent_sms() == []


def test_a_link_is_refused_before_a_run_starts_too() -> None:
    item = {"channel": "email", "to": "ana@example.com", "link": "https://evil.example/"}
    answer = verify_send({"trigger": "validate", "items": [item]}, Context())
    assert answer["problems"][0]["errors"][0]["pointer"] == "/link"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/verify",
        "https://app.example.com.evil.example/",
        "https://ana@app.example.com/",
        "http://app.example.com/verify",
        "http://localhost:3000/verify",
        "javascript:alert(1)",
        "/verify",
        "https://app.example.com/verify#",
        "https://app.example.com/verify#top",
        "https://app.example.com/x,y",
        "https://app.example.com/" + "x" * 1900,
    ],
)
def test_a_page_of_another_host_or_with_a_fragment_is_refused_and_costs_nothing(
    url: str, dynamodb_requests: list[str]
) -> None:
    refused = send(link=url)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/link")
    assert (dynamodb_requests, sent_emails()) == ([], [])


def test_on_the_local_stack_a_page_of_this_machine_will_do(settings: Settings) -> None:
    settings.set(LOCAL_LINKS="true")
    send(link="http://localhost:3000/verify")
    assert links()[0].startswith("http://localhost:3000/verify#verification_id=")


def test_no_log_line_has_the_link(log: io.StringIO) -> None:
    send(link=PAGE)
    assert "app.example.com" not in log.getvalue()
