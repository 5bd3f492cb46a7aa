"""Client networks: groups of addresses that one owner can use in turn. Pure.

An IPv4 address is a network of its own. With IPv6, a phone or a server has a /64, a household or a
site a /56 or a /48 (RFC 6177 §2), and chooses addresses freely within it.
"""

import ipaddress
from typing import NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LIMITS = (("ip", 64, 1), ("ip-56", 56, 2), ("ip-48", 48, 4))
"""Limits of IPv6 clients: name, prefix length, and quota as a multiple of one address's quota.

A /56 holds 256 /64s and a /48 holds 65,536, but mostly for one owner, so the quotas grow slowly.
They grow because some carriers take the addresses of many phones from one /48, which then has four
times the quota of all phones behind one IPv4 address of a carrier.
"""

_ORIGIN_BITS = {4: 24, 6: 48}
"""Prefix lengths of origins by IP version.

Longer prefixes are not routed between networks (RFC 7454 §6.1.3), so the addresses of one origin
mostly have one owner.
"""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Prefix with which a translator writes IPv4 addresses as IPv6 (RFC 6052 §2.1)."""


class ClientNetwork(NamedTuple):
    """Network that a client's sends are counted for."""

    limit: str
    """Name of its limit."""
    address: str
    quota: int
    """Multiple of one address's quota."""


def networks(client_ip: str) -> list[ClientNetwork]:
    """Returns the networks of a client, smallest first: one for IPv4, three for IPv6."""
    address = _address(client_ip)
    if isinstance(address, ipaddress.IPv4Address):
        return [ClientNetwork("ip", str(address), 1)]
    return [ClientNetwork(limit, _prefix(address, bits), quota) for limit, bits, quota in _LIMITS]


def origin(client_ip: str) -> str:
    """IPv4 /24 or IPv6 /48 of a client; tells whether sends come from one place or from many."""
    address = _address(client_ip)
    return _prefix(address, _ORIGIN_BITS[address.version])


def is_ip_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _address(client_ip: str) -> Address:
    address = ipaddress.ip_address(client_ip)
    if isinstance(address, ipaddress.IPv6Address):
        return _ipv4_inside(address) or address
    return address


def _ipv4_inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """IPv4 address inside an IPv6 address: mapped, NAT64, 6to4 or Teredo.

    Counted as IPv6, all mapped, NAT64 and Teredo addresses would share a /64 with others of their
    kind, and each 6to4 address would have a /48.
    """
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    _, of_teredo = address.teredo or (None, None)
    return address.ipv4_mapped or address.sixtofour or of_teredo


def _prefix(address: Address, bits: int) -> str:
    of_ipv4 = isinstance(address, ipaddress.IPv4Address)
    kind = ipaddress.IPv4Network if of_ipv4 else ipaddress.IPv6Network
    return str(kind((int(address), bits), strict=False))
