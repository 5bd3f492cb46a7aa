"""Client networks: addresses that whoever has one of them can take in turn. Pure.

An IPv4 address stands for itself. Of IPv6 a phone or a server has a /64, a household or a site a /56
or a /48 (RFC 6177 §2), and chooses freely within it.
"""

import ipaddress
from typing import NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LIMITS = (("ip", 64, 1), ("ip-56", 56, 2), ("ip-48", 48, 4))
"""Limits of IPv6 clients: name, prefix length, and quota as a multiple of an address's. A /56 holds
256 times a /64 and a /48 65,536 times, but mostly for one owner, so the quotas grow slowly. They grow
because some carriers number many phones out of one /48, which then has four times of what all phones
behind one IPv4 address of a carrier have."""

_ORIGIN_BITS = {4: 24, 6: 48}
"""Prefix lengths of origins: longer prefixes are not routed between networks (RFC 7454 §6.1.3), so
that the addresses of one origin have mostly one owner."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Of IPv4 addresses that a translator writes as IPv6 (RFC 6052 §2.1)."""


class ClientNetwork(NamedTuple):
    """One network that a client's sends count for."""

    limit: str
    """Name of its limit."""
    address: str
    quota: int
    """As a multiple of an address's."""


def networks(client_ip: str) -> list[ClientNetwork]:
    """The networks of a client, smallest first: one for IPv4, three for IPv6."""
    address = _address(client_ip)
    if isinstance(address, ipaddress.IPv4Address):
        return [ClientNetwork("ip", str(address), 1)]
    return [ClientNetwork(limit, _prefix(address, bits), quota) for limit, bits, quota in _LIMITS]


def origin(client_ip: str) -> str:
    """An IPv4 /24 or an IPv6 /48, which tells whether sends come from one place or from many."""
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
    """The IPv4 address that an IPv6 one was made of: mapped, NAT64, 6to4, Teredo.

    As IPv6 they would share a /64 with all others of their kind (mapped, NAT64, Teredo), or have a
    /48 each (6to4).
    """
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    _, of_teredo = address.teredo or (None, None)
    return address.ipv4_mapped or address.sixtofour or of_teredo


def _prefix(address: Address, bits: int) -> str:
    of_ipv4 = isinstance(address, ipaddress.IPv4Address)
    kind = ipaddress.IPv4Network if of_ipv4 else ipaddress.IPv6Network
    return str(kind((int(address), bits), strict=False))
