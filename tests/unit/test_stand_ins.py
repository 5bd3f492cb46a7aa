"""The stand-ins of providers are for the functions, not for pages."""

import base64
from pathlib import Path

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


def test_the_next_start_has_the_same_port_unless_somebody_else_has_it(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    with (
        running_stand_ins(list[Message]().append, port_file) as first,
        running_stand_ins(list[Message]().append, port_file) as second,
    ):
        assert second != first
    with running_stand_ins(list[Message]().append, port_file) as third:
        assert third == second


@pytest.mark.parametrize("content", ["", "many", "-1", "99999999"])
def test_a_port_that_cannot_be_is_replaced(content: str, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    port_file.write_text(content)
    with running_stand_ins(list[Message]().append, port_file) as url:
        assert url == f"http://127.0.0.1:{port_file.read_text()}"
