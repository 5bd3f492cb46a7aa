"""URLs to which requests may go."""

import pytest

from functions.core.errors import DeliveryRefused
from functions.core.outbound_http.url import Target, read_url


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target("example.com", 443, "/")),
        ("https://example.com:443/events", Target("example.com", 443, "/events")),
        ("https://Example.COM/Events?a=b&c=%2F", Target("example.com", 443, "/Events?a=b&c=%2F")),
        ("https://example.com?a=@b:1", Target("example.com", 443, "/?a=@b:1")),
        ("https://example.com/@evil.example", Target("example.com", 443, "/@evil.example")),
        ("https://bücher.example/x", Target("xn--bcher-kva.example", 443, "/x")),
        ("https://faß.example", Target("xn--fa-hia.example", 443, "/")),
        ("https://8.8.8.8/", Target("8.8.8.8", 443, "/")),
        ("https://[2606:4700::1111]/", Target("2606:4700::1111", 443, "/")),
    ],
)
def test_an_https_url_is_read(url: str, target: Target) -> None:
    assert read_url(url, local=False) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "http://example.com/",
        "HTTPS://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///events",
        "https://example.com:8443/",
        "https://example.com:80/",
        "https://example.com:/",
        "https://ana:secret@example.com/",
        "https://ana@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com#@127.0.0.1/",
        "https://example.com/#part",
        "https://example.com/a b",
        "https://example.com/\r\nx: y",
        "https://example.com/\n",
        " https://example.com/",
        "https://example.com/é",
        "https://exa mple.com/",
        "https://example%2ecom/",
        "https://localhost/",
        "https://intranet/",
        "https://example.com./",
        "https://.example.com/",
        "https://-a.example.com/",
        "https://a_b.example.com/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://[example.com]/",
        "https://[::1/",
        "https://" + "a" * 64 + ".example/",
        "https://\u2488.example/",
        "http://127.0.0.1:9000/",
        "http://localhost/",
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(DeliveryRefused):
        read_url(url, local=False)


def test_digits_of_other_scripts_are_the_address_that_they_mean() -> None:
    """The address is then checked like any other, and this one is not public."""
    assert read_url("https://\uff11\uff12\uff17\u3002\uff10.0.1/", local=False).host == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:9000/events", Target("127.0.0.1", 9000, "/events", secure=False)),
        ("http://localhost:80", Target("localhost", 80, "/", secure=False)),
        ("https://example.com/", Target("example.com", 443, "/")),
    ],
)
def test_on_the_local_stack_a_server_on_this_machine_will_do(url: str, target: Target) -> None:
    assert read_url(url, local=True) == target


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://localhost.example.com/",
        "http://localhost@example.com/",
        "http://127.0.0.1@example.com/",
        "http://10.0.0.1/",
        "https://localhost/",
        "http://localhost/",
        "http://localhost:0/",
        "http://localhost:999999/",
    ],
)
def test_also_there_nothing_else_will(url: str) -> None:
    with pytest.raises(DeliveryRefused):
        read_url(url, local=True)
