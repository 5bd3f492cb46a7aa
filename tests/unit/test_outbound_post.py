"""Requests to URLs, through a network in which the test decides names and connections."""

import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.core import config
from functions.core.errors import DeliveryRefused, NotDelivered
from functions.core.outbound_http.exchange import MAX_BYTES, Bounded
from functions.core.outbound_http.post import Network, post
from infra import sam
from tests import fakes
from tests.builders.certificates import Authority

URL = "https://events.example.com/path?query"
PUBLIC, ANOTHER, PRIVATE = "93.184.215.14", "8.8.8.8", "10.0.0.1"


class Internet:
    """Resolves one name, one answer per lookup, and connects everything to the test's server."""

    def __init__(
        self, server: str, answers: Sequence[Sequence[str]], out_of_reach: Sequence[str] = ()
    ) -> None:
        self._answers = list(answers)
        self._server = urlsplit(server)
        self._out_of_reach = out_of_reach
        self.asked: list[str] = []
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str) -> list[str]:
        self.asked.append(host)
        return list(self._answers.pop(0))

    def connect(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.connected.append(address)
        if address[0] in self._out_of_reach:
            raise ConnectionRefusedError
        return socket.create_connection((self._server.hostname, self._server.port), timeout)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextmanager
def receiver(
    authority: Authority,
    script: fakes.Script,
    *answers: Sequence[str],
    host: str = "events.example.com",
    trusted: bool = True,
    out_of_reach: Sequence[str] = (),
    seconds: float = 10,
) -> Iterator[tuple[Internet, Network]]:
    """A server with a certificate for `host`, in a network where every name leads to it."""
    with fakes.server(script, authority.server(host)) as url:
        internet = Internet(url, answers or [[PUBLIC]], out_of_reach)
        authorities = str(authority.path) if trusted else ""
        yield internet, Network(internet.resolve, internet.connect, authorities, seconds)


def test_bytes_are_posted_to_the_host_of_the_url(authority: Authority) -> None:
    requests: list[tuple[str, dict[str, str], bytes]] = []

    def script(request: Any, body: bytes) -> None:
        requests.append((request.path, dict(request.headers), body))
        fakes.reply(request, 202, b"ignored", {})

    with receiver(authority, script) as (internet, network):
        assert post(URL, b"{}", {"x-test": "1"}, network) == (202, None, b"")
    ((path, headers, body),) = requests
    assert (path, body) == ("/path?query", b"{}")
    assert {name: headers[name] for name in ("host", "x-test")} == {
        "host": "events.example.com",
        "x-test": "1",
    }
    assert internet.connected == [(PUBLIC, 443)]


def test_a_name_that_answers_otherwise_later_is_not_asked_again(authority: Authority) -> None:
    """DNS rebinding: a public address for the check, a private one for the connection."""
    with receiver(authority, fakes.answers(200, b""), [PUBLIC], [PRIVATE]) as (internet, network):
        assert post(URL, b"", {}, network).status == 200
    assert internet.asked == ["events.example.com"]
    assert internet.connected == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    "addresses", [[PRIVATE], [PUBLIC, PRIVATE], ["::ffff:8.8.8.8"], ["fd00:ec2::254"]]
)
def test_a_name_with_an_address_that_is_not_public_is_refused_and_not_connected_to(
    addresses: list[str],
) -> None:
    internet = Internet(fakes.nobody(), [addresses])
    with pytest.raises(DeliveryRefused, match="not public"):
        post(URL, b"", {}, Network(internet.resolve, internet.connect))
    assert internet.connected == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/",
    ],
)
def test_an_address_in_the_url_is_judged_as_any_other(url: str) -> None:
    with pytest.raises(DeliveryRefused, match="not public"):
        post(url, b"", {}, Network(connect=lambda *_: pytest.fail("it connected")))


def test_an_address_that_is_out_of_reach_is_passed_over(authority: Authority) -> None:
    script = fakes.answers(200, b"")
    with receiver(authority, script, [PUBLIC, ANOTHER], out_of_reach=[PUBLIC]) as (
        internet,
        network,
    ):
        assert post(URL, b"", {}, network).status == 200
    assert internet.connected == [(PUBLIC, 443), (ANOTHER, 443)]


@pytest.mark.parametrize(
    ("host", "trusted"),
    [("events.example.com", False), ("another.example.com", True)],
    ids=["not trusted", "of another"],
)
def test_a_certificate_that_is_not_trusted_or_of_another_host_is_no_delivery(
    host: str, authority: Authority, *, trusted: bool
) -> None:
    def script(*_: Any) -> None:
        pytest.fail("it was sent all the same")

    with (
        receiver(authority, script, host=host, trusted=trusted) as (_, network),
        pytest.raises(NotDelivered, match="no valid certificate"),
    ):
        post(URL, b"", {}, network)


def test_the_environment_cannot_change_the_trusted_authorities(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority.path))
    config.reset(everything=True)
    with (
        receiver(authority, fakes.answers(200, b""), trusted=False) as (_, network),
        pytest.raises(NotDelivered, match="no valid certificate"),
    ):
        post(URL, b"", {}, network)


def test_a_proxy_of_the_environment_is_not_asked(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, fakes.nobody())
    with receiver(authority, fakes.answers(200, b"")) as (internet, network):
        assert post(URL, b"", {}, network).status == 200
    assert internet.connected == [(PUBLIC, 443)]


def test_a_redirect_is_an_answer_and_is_not_followed(authority: Authority) -> None:
    script = fakes.answers(307, b"", location="https://events.example.com/elsewhere")
    with receiver(authority, script) as (internet, network):
        assert post(URL, b"", {}, network).status == 307
    assert len(internet.connected) == 1


def test_a_body_that_never_ends_is_not_read(authority: Authority) -> None:
    endless = fakes.never_ends(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"1000\r\n" + b"x" * 4096 + b"\r\n",
    )
    with receiver(authority, endless) as (_, network):
        assert post(URL, b"", {}, network).status == 200


def test_a_body_that_is_wanted_is_read_within_the_same_bounds(authority: Authority) -> None:
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    with receiver(authority, fakes.answers(200, b'{"a": 1}')) as (_, network):
        assert post(URL, b"", {}, network, read_body=True) == (200, None, b'{"a": 1}')
    with (
        receiver(authority, fakes.never_ends(chunked, chunk)) as (_, network),
        pytest.raises(NotDelivered, match="not HTTP"),
    ):
        post(URL, b"", {}, network, read_body=True)
    with (
        receiver(authority, fakes.never_ends(chunked, chunk, 0.1), seconds=0.5) as (_, network),
        pytest.raises(NotDelivered, match="in time"),
    ):
        post(URL, b"", {}, network, read_body=True)


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nx: "],
    ids=["status line", "headers", "one header"],
)
def test_an_answer_that_drips_ends_with_the_time_for_all_of_it(
    beginning: bytes, authority: Authority
) -> None:
    """A byte every 10 ms: no single read waits long, yet the whole head would take minutes."""
    drips = fakes.never_ends(beginning, b"x", pause_seconds=0.01)
    with (
        receiver(authority, drips, seconds=0.5) as (_, network),
        pytest.raises(NotDelivered, match="in time"),
    ):
        post(URL, b"", {}, network)


def test_a_receiver_that_says_nothing_is_given_up(authority: Authority) -> None:
    with (
        receiver(authority, fakes.hangs, seconds=0.5) as (_, network),
        pytest.raises(NotDelivered, match="in time"),
    ):
        post(URL, b"", {}, network)


def test_a_receiver_that_reads_nothing_is_given_up() -> None:
    here, there = socket.socketpair()
    with here, there, pytest.raises(TimeoutError):
        Bounded(here, time.monotonic() + 0.2).sendall(b"x" * 10_000_000)


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nx: ", b"y" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"x" * 1000),
    ],
    ids=["many headers", "one long header", "interim answers", "a long status line"],
)
def test_a_head_that_never_ends_is_given_up(
    beginning: bytes, piece: bytes, authority: Authority
) -> None:
    with (
        receiver(authority, fakes.never_ends(beginning, piece)) as (_, network),
        pytest.raises(NotDelivered, match="not HTTP"),
    ):
        post(URL, b"", {}, network)


def test_a_head_of_many_bytes_in_few_lines_is_given_up_too(authority: Authority) -> None:
    lines = b"".join(b"x%d: %s\r\n" % (number, b"y" * 10_000) for number in range(90))
    assert len(lines) > MAX_BYTES
    script = fakes.never_ends(b"HTTP/1.1 200 OK\r\n" + lines, b"z")
    with receiver(authority, script) as (_, network), pytest.raises(NotDelivered, match="not HTTP"):
        post(URL, b"", {}, network)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("36000", 36_000),
        ("86400", 36_000),
        ("0", None),
        ("-1", None),
        ("1e3", None),
        ("\u0663", None),
        ("9" * 5000, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT\r\ndate: Wed, 21 Oct 2026 07:26:00 GMT", 120),
        ("Wed, 21 Oct 2026 07:28:00 GMT\r\ndate: Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT\r\ndate: Wed, 21 Oct 2026 07:26:00 -0000", None),
        ("Wed, 99 Oct 2026 07:28:00 GMT\r\ndate: Wed, 21 Oct 2026 07:26:00 GMT", None),
        ("Wed, 21 Oct 2027 07:28:00 GMT\r\ndate: Wed, 21 Oct 2026 07:26:00 GMT", 36_000),
    ],
)
def test_when_to_try_again_is_believed_up_to_ten_hours(
    said: str, seconds: int | None, authority: Authority
) -> None:
    head = f"HTTP/1.1 503 Busy\r\nretry-after: {said}\r\n\r\n".encode()
    with receiver(authority, fakes.never_ends(head, b"x")) as (_, network):
        assert post(URL, b"", {}, network) == (503, seconds, b"")


def test_a_name_that_has_no_address_may_have_one_later() -> None:
    def resolve(_: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(NotDelivered, match="resolved"):
        post(URL, b"", {}, Network(resolve))


def test_a_receiver_that_closes_the_connection_or_is_not_there_may_be_there_later(
    authority: Authority,
) -> None:
    def script(request: Any, _: bytes) -> None:
        request.close_connection = True

    with (
        receiver(authority, script) as (_, network),
        pytest.raises(NotDelivered, match="without an answer"),
    ):
        post(URL, b"", {}, network)
    gone = Internet(fakes.nobody(), [[PUBLIC]])
    with pytest.raises(NotDelivered, match="reached"):
        post(URL, b"", {}, Network(gone.resolve, gone.connect))


def test_a_receivers_answer_is_in_no_error(authority: Authority) -> None:
    script = fakes.never_ends(b"secret words\r\n\r\n", b"secret")
    with receiver(authority, script) as (_, network), pytest.raises(NotDelivered) as refused:
        post(URL, b"", {}, network)
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_on_this_machine_gets_events_only_where_the_environment_says_so(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fakes.server(fakes.answers(200, b"")) as server:
        url = server.replace("127.0.0.1", host)
        with pytest.raises(DeliveryRefused):
            post(url, b"", {})
        monkeypatch.setenv("LOCAL_RECEIVERS", "true")
        config.reset()
        assert post(url, b"", {}).status == 200


def test_no_deployment_allows_receivers_on_its_own_machine() -> None:
    """The template names the variable for the SAM CLI only, without a value.

    Only the local stack's own code sets it.
    """
    variable = re.compile("local.?receivers", re.IGNORECASE)
    named = [
        line.strip() for line in sam.TEMPLATE.read_text().splitlines() if variable.search(line)
    ]
    assert named == ["LOCAL_RECEIVERS: !Ref AWS::NoValue"]
    assert not variable.search((sam.ROOT / "samconfig.toml").read_text())
    setting = [
        path for path in (sam.ROOT / "infra").rglob("*.py") if variable.search(path.read_text())
    ]
    assert setting == [sam.ROOT / "infra/local/stack.py"]
