"""Sends for strangers that count as pumping, tested on the values alone."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import pytest

from functions.core.verification.limits.networks import origin
from functions.core.verification.limits.sms_pumping import (
    MARKS,
    NETWORKS,
    SENDS,
    are_pumping,
    random_mark,
)


class Ended(NamedTuple):
    """An ended send, with its client's address."""

    client_ip: str
    valid: bool = False


def judged(sends: Iterable[Ended]) -> bool:
    """Whether the rule finds pumping after any of these sends."""
    marks: dict[bool, set[float]] = {True: set(), False: set()}
    found = False
    for number, each in enumerate(sends, start=1):
        network = int.from_bytes(hashlib.sha256(origin(each.client_ip).encode()).digest()[:4])
        marks[each.valid].add(random_mark(network))
        found = found or are_pumping(number, marks[False], marks[True])
    return found


def from_networks(sends: int, networks: int) -> list[Ended]:
    return [
        Ended(f"{10 + number % networks // 256}.51.{number % networks % 256}.{number // networks}")
        for number in range(sends)
    ]


def entered(sends: list[Ended], every: int) -> list[Ended]:
    """The sends, of which every n-th code was entered."""
    return [each._replace(valid=number % every == 0) for number, each in enumerate(sends)]


@pytest.mark.parametrize(
    "sends",
    [
        [Ended("192.0.2.1")] * 1000,
        [Ended(f"192.0.2.{number % 256}") for number in range(1000)],
        [Ended(f"2001:db8::{number:x}") for number in range(1000)],
        [Ended(f"2001:db8:0:{number:x}::1") for number in range(1000)],
        from_networks(1000, networks=5),
        from_networks(1000, networks=NETWORKS - 1),
    ],
    ids=["one address", "one /24", "one /64", "one /48", "a handful", "one too few"],
)
def test_an_attacker_with_few_networks_stops_nobody(sends: list[Ended]) -> None:
    assert not judged(sends)


def test_one_network_does_not_outweigh_a_country_where_some_codes_are_not_entered() -> None:
    """Counted by sends alone, 1 % of the codes is entered."""
    people = entered(from_networks(45, networks=45), every=3)
    assert not judged(people + [Ended("203.0.113.9")] * 1000)


@pytest.mark.parametrize("networks", [4, 80])
def test_a_country_where_codes_are_entered_goes_on_however_few_its_networks(networks: int) -> None:
    assert not judged(entered(from_networks(400, networks), every=5))


@pytest.mark.parametrize(("sends", "networks"), [(60, 60), (100, 30), (300, 30), (2000, 500)])
def test_pumping_through_many_networks_is_stopped(sends: int, networks: int) -> None:
    people = [Ended("203.0.113.1", valid=True), Ended("203.0.114.1", valid=True)]
    assert judged(people + from_networks(sends, networks))


def test_valid_checks_of_one_network_do_not_hide_what_many_send() -> None:
    hiding = [Ended("203.0.113.9", valid=True)] * 50
    assert judged(hiding + from_networks(100, networks=100))


def test_a_few_sends_are_no_pumping() -> None:
    assert not judged(from_networks(SENDS, networks=SENDS))


@pytest.mark.parametrize("network", [0, 1, 2**31, 2**32 - 1])
def test_a_counter_stays_small_whatever_networks_come(network: int) -> None:
    assert {0 <= random_mark(network) < MARKS <= 4096 for _ in range(50)} == {True}
