"""Addresses that count as one client."""

import pytest

from functions.core.verification.limits.networks import is_ip_address, networks, origin


def counted(client_ip: str) -> dict[str, str]:
    return {network.limit: network.address for network in networks(client_ip)}


def test_an_ipv4_client_is_its_address() -> None:
    assert counted("192.0.2.1") == {"ip": "192.0.2.1"}


def test_an_ipv6_client_is_all_networks_that_may_be_its_own() -> None:
    assert counted("2001:db8:1:2345::9") == {
        "ip": "2001:db8:1:2345::/64",
        "ip-56": "2001:db8:1:2300::/56",
        "ip-48": "2001:db8:1::/48",
    }


def test_a_network_has_more_than_the_one_in_it_and_far_less_than_all_in_it() -> None:
    small, middle, large = (network.quota for network in networks("2001:db8::1"))
    assert 1 == small < middle < large <= 4


@pytest.mark.parametrize(
    "client_ip",
    [
        "::ffff:192.0.2.1",
        "::FFFF:C000:0201",
        "64:ff9b::192.0.2.1",  # NAT64, RFC 6052
        "2002:c000:201::5",  # 6to4, RFC 3056
        "2002:c000:201:ffff::6",
        "2001:0:4136:e378:8000:63bf:3fff:fdfe",  # Teredo, RFC 4380 (the bits are inverted)
    ],
)
def test_an_ipv4_client_in_ipv6_is_the_same_client(client_ip: str) -> None:
    assert networks(client_ip) == networks("192.0.2.1")
    assert origin(client_ip) == origin("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:1:2::1", "2001:db8:1:ff00::1", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("::1", "0.0.0.1", False),
    ],
)
def test_sends_come_from_one_place_within_a_24_or_a_48(one: str, other: str, *, same: bool) -> None:
    assert (origin(one) == origin(other)) is same


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("192.0.2.1", True), ("fe80::1%eth0", True), ("192.0.2", False), ("ana", False), ("", False)],
)
def test_an_address_is_told_from_what_is_none(text: str, *, is_one: bool) -> None:
    assert is_ip_address(text) is is_one


def test_a_zone_changes_nothing() -> None:
    assert networks("fe80::1%eth0") == networks("fe80::1%wlan0")
