"""Emails that the local SES refuses, tested on requests alone."""

import asyncio
import json

import pytest

from infra.local.guard import AsgiEvent, Receive, Scope, Send
from infra.local.refused_emails import REFUSED_DOMAIN, RefusedEmails

SEND_EMAIL = "/v2/email/outbound-emails"


def ask(body: bytes, path: str = SEND_EMAIL) -> tuple[list[AsgiEvent], list[bytes]]:
    """The answer's events, and the bodies that reached the emulator."""
    halves = [body[: len(body) // 2], body[len(body) // 2 :]]
    events = [
        {"type": "http.request", "body": halves[0], "more_body": True},
        {"type": "http.request", "body": halves[1], "more_body": False},
    ]
    sent, served = list[AsgiEvent](), list[bytes]()

    async def emulator(_: Scope, receive: Receive, send: Send) -> None:
        event = await receive()
        content = event["body"]
        while event["more_body"]:
            event = await receive()
            content += event["body"]
        served.append(content)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> AsgiEvent:
        return events.pop(0)

    async def send(event: AsgiEvent) -> None:
        sent.append(event)

    scope = {"type": "http", "method": "POST", "path": path}
    asyncio.run(RefusedEmails(emulator)(scope, receive, send))
    return sent, served


def email_to(*recipients: str) -> bytes:
    """Body of SendEmail."""
    return json.dumps({"Destination": {"ToAddresses": recipients}, "Content": {}}).encode()


def test_an_address_of_the_domain_is_rejected_as_ses_does() -> None:
    sent, served = ask(email_to(f"ana@{REFUSED_DOMAIN}"))

    assert not served
    assert sent[0]["status"] == 400
    assert (b"x-amzn-errortype", b"MessageRejected") in sent[0]["headers"]
    assert f"ana@{REFUSED_DOMAIN}" in json.loads(sent[1]["body"])["message"]


@pytest.mark.parametrize(
    "body",
    [
        email_to("ana@example.com"),
        email_to(f"ana@not{REFUSED_DOMAIN}"),
        email_to(),
        b"[]",
        b"no JSON",
        b"",
    ],
)
def test_any_other_email_reaches_the_emulator_whole(body: bytes) -> None:
    sent, served = ask(body)

    assert served == [body]
    assert sent[0]["status"] == 200


def test_other_calls_reach_the_emulator() -> None:
    _, served = ask(email_to(f"ana@{REFUSED_DOMAIN}"), path="/v2/email/identities")

    assert served == [email_to(f"ana@{REFUSED_DOMAIN}")]
