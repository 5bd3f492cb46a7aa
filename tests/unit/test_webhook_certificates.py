"""SNS's certificates and how they are fetched, against servers on loopback."""

import ssl
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from functions.api.webhooks import scheme
from functions.api.webhooks.delivery import WebhookDelivery
from functions.api.webhooks.download import MAX_BYTES, Download, DownloadRefused, download
from functions.api.webhooks.schemes import sns
from functions.core.errors import Unavailable, WrongSignature
from tests import fakes
from tests.builders import deliveries
from tests.builders.deliveries import NOW, TOPIC, certificate, private_pem, sns_certificate, sns_key

DAY = 86_400


class Sns:
    """Stand-in for SNS's server on loopback, which counts its requests."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, sns_certificate(), dict[str, str]()
        self.asked: list[str] = []

    def answer(self, request: BaseHTTPRequestHandler, _: bytes) -> None:
        self.asked.append(request.path)
        fakes.reply(request, self.status, self.body, self.headers)

    def stands_in(self, url: str) -> Download:
        return lambda asked: download(url + urlsplit(asked).path)


@pytest.fixture
def fake() -> Sns:
    return Sns()


@pytest.fixture
def fetch(fake: Sns) -> Iterator[Download]:
    with fakes.server(fake.answer) as url:
        yield fake.stands_in(url)


def verify(fetch: Download, now: int = NOW) -> WebhookDelivery:
    return sns.verify(deliveries.sns("Hello", at=now), [TOPIC], now, fetch)


def test_a_message_signed_by_the_certificate_at_snss_url_is_delivered(
    fake: Sns, fetch: Download
) -> None:
    assert verify(fetch).payload == "Hello"
    assert fake.asked == ["/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"]


def test_a_certificate_is_fetched_once(fake: Sns, fetch: Download) -> None:
    verify(fetch)
    verify(fetch)
    assert len(fake.asked) == 1


def test_a_failed_fetch_is_repeated(fake: Sns, fetch: Download) -> None:
    fake.status = 500
    with pytest.raises(Unavailable):
        verify(fetch)
    fake.status = 200
    assert verify(fetch)


def test_a_certificate_that_sns_does_not_have_is_a_forgers_and_no_fault_of_sns(
    fake: Sns, fetch: Download
) -> None:
    fake.status = 403
    with pytest.raises(WrongSignature):
        verify(fetch)


@pytest.mark.parametrize("now", [NOW - 2 * DAY, NOW + 2 * DAY])
def test_a_certificate_counts_within_its_time_only(fetch: Download, now: int) -> None:
    with pytest.raises(WrongSignature, match="certificate"):
        verify(fetch, now)


def test_a_certificate_that_has_expired_since_it_was_fetched_does_not_count(
    fetch: Download,
) -> None:
    verify(fetch)
    with pytest.raises(WrongSignature):
        verify(fetch, NOW + 2 * DAY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Hello",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        private_pem(sns_key()),
    ],
)
def test_an_answer_that_is_no_certificate_is_an_error_of_sns(
    fake: Sns, fetch: Download, body: bytes
) -> None:
    fake.body = body
    with pytest.raises(Unavailable):
        verify(fetch)


def test_a_certificate_of_another_kind_of_key_is_a_fault_of_sns(fake: Sns, fetch: Download) -> None:
    fake.body = certificate(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(Unavailable):
        verify(fetch)


def test_a_subscription_is_confirmed_at_the_url_of_its_delivery(fake: Sns) -> None:
    with fakes.server(fake.answer) as url:
        scheme.confirm(f"{url}/?Action=ConfirmSubscription")
    assert fake.asked == ["/?Action=ConfirmSubscription"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(fake: Sns, status: int) -> None:
    with fakes.server(fake.answer) as other:
        redirects = fakes.answers(status, b"", location=f"{other}/certificate.pem")
        with fakes.server(redirects) as url, pytest.raises(Unavailable):
            download(url)
    assert fake.asked == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_certificate_that_is_not_there_is_refused(status: int) -> None:
    with fakes.server(fakes.answers(status, b"")) as url, pytest.raises(DownloadRefused):
        download(url)


@pytest.mark.parametrize("status", [201, 204, 206, 408, 429, 500, 503])
def test_any_other_status_is_unavailable(status: int) -> None:
    with fakes.server(fakes.answers(status, b"")) as url, pytest.raises(Unavailable):
        download(url)


def test_a_too_large_answer_is_not_read_to_its_end() -> None:
    def endless(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(200)
        request.end_headers()
        request.close_connection = True
        with suppress(OSError):  # of the client, who hangs up
            while True:
                request.wfile.write(bytes(MAX_BYTES))

    with fakes.server(endless) as url, pytest.raises(Unavailable):
        download(url)


def test_an_answer_of_the_largest_size_is_read() -> None:
    with fakes.server(fakes.answers(200, bytes(MAX_BYTES))) as url:
        assert download(url) == bytes(MAX_BYTES)


def test_a_compressed_answer_does_not_grow() -> None:
    with fakes.server(fakes.answers(200, b"not gzip", content_encoding="gzip")) as url:
        assert download(url) == b"not gzip"


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        download(fakes.nobody())


def test_a_server_that_breaks_off_is_unavailable() -> None:
    def breaks_off(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(200)
        request.send_header("content-length", "10")
        request.end_headers()
        request.wfile.write(b"short")
        request.close_connection = True

    with fakes.server(breaks_off) as url, pytest.raises(Unavailable):
        download(url)


def test_a_server_that_hangs_up_is_asked_once() -> None:
    asked = []

    def hangs_up(request: BaseHTTPRequestHandler, _: bytes) -> None:
        asked.append(request.path)
        request.close_connection = True

    with fakes.server(hangs_up) as url, pytest.raises(Unavailable):
        download(url)
    assert asked == ["/"]


def test_a_server_that_vouches_for_itself_is_unavailable(fake: Sns, tmp_path: Path) -> None:
    """TLS proves that the certificate is SNS's; nothing else does."""
    own = tmp_path / "own.pem"
    own.write_bytes(sns_certificate() + private_pem(sns_key()))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own)
    with fakes.server(fake.answer, tls) as url, pytest.raises(Unavailable) as caught:
        download(url)
    assert isinstance(caught.value.__cause__, Exception)
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value.__cause__)
    assert fake.asked == []
