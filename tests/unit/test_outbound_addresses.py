"""Addresses to which requests may go, from IANA's registries of special-purpose addresses."""

import pytest

from functions.core.outbound_http.addresses import is_public

PUBLIC = [
    "8.8.8.8",
    "93.184.215.14",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
]

PRIVATE = {
    "0.0.0.0": "this machine, on Linux",  # noqa: S104 - nothing binds to it
    "0.1.2.3": "this network",
    "10.0.0.1": "private use",
    "100.64.0.1": "behind a carrier's NAT",
    "100.100.100.200": "metadata of Alibaba, behind a carrier's NAT",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "169.254.169.254": "metadata of AWS, link-local",
    "169.254.170.2": "credentials of containers on AWS, link-local",
    "172.16.0.1": "private use",
    "172.31.255.255": "private use",
    "192.0.0.9": "IETF protocol assignments, global for some versions of Python",
    "192.0.0.192": "metadata of Oracle, IETF protocol assignments",
    "192.0.2.1": "documentation",
    "192.88.99.1": "relays of 6to4",
    "192.168.0.1": "private use",
    "198.18.0.1": "benchmarking",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "::8.8.8.8": "IPv4-compatible",
    "::127.0.0.1": "IPv4-compatible",
    "::ffff:8.8.8.8": "IPv4-mapped",
    "::ffff:169.254.169.254": "IPv4-mapped",
    "::ffff:0:127.0.0.1": "IPv4-translated",
    "64:ff9b::7f00:1": "NAT64 of 127.0.0.1",
    "64:ff9b::808:808": "NAT64",
    "64:ff9b:1::a9fe:a9fe": "local-use NAT64 of 169.254.169.254",
    "100::1": "discard",
    "2001::1": "Teredo",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "2001:1::1": "IETF protocol assignments",
    "2001:20::1": "ORCHIDv2",
    "2001:db8::1": "documentation",
    "2002:7f00:1::1": "6to4 of 127.0.0.1",
    "2002:808:808::1": "6to4",
    "3fff::1": "documentation",
    "4000::1": "not assigned",
    "5f00::1": "segment routing",
    "fc00::1": "unique local",
    "fd00:ec2::254": "metadata of AWS, unique local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "example.com": "no address",
    "127.1": "no address as it stands",
    "2130706433": "no address as it stands",
    "": "no address",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_somebody_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(("address", "reason"), PRIVATE.items(), ids=PRIVATE)
def test_no_other_address_is_public(address: str, reason: str) -> None:
    assert not is_public(address), reason
