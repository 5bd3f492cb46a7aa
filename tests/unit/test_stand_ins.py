"""The stand-ins of providers are for the functions, not for pages."""

import base64

import httpx
import pytest

from infra.local import twilio
from infra.local.captured import Message
from infra.local.stand_ins import running_stand_ins

BASIC = base64.b64encode(f"{twilio.ACCOUNT_SID}:{twilio.AUTH_TOKEN}".encode()).decode()
FORM = {"To": "+14155550100", "From": twilio.FROM_NUMBER, "Body": "hello"}
PATH = f"/2010-04-01/Accounts/{twilio.ACCOUNT_SID}/Messages.json"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"host": "localhost:1234"}, 201),
        ({"host": "evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://localhost:3000"}, 403),
    ],
)
def test_a_page_sends_no_messages_even_if_its_name_resolves_to_loopback(
    headers: dict[str, str], status: int
) -> None:
    taken: list[Message] = []
    with running_stand_ins(taken.append) as url:
        answer = httpx.post(
            url + PATH, data=FORM, headers={"authorization": f"Basic {BASIC}"} | headers
        )
    assert (answer.status_code, len(taken)) == (status, int(status == 201))
