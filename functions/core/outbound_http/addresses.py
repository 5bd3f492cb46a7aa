"""Addresses that requests may go to: public ones, so that no URL reaches this machine or its
network.
"""

import ipaddress

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All IPv6 addresses that IANA allocates (RFC 4291 §2.4).

Outside of it are loopback, link-local, unique local (AWS's metadata service is fd00:ec2::254),
multicast, and IPv4 in IPv6: ::/96, ::ffff:0:0/96, NAT64's 64:ff9b::/96 and 64:ff9b:1::/48.
"""

_SPECIAL = tuple(
    ipaddress.ip_network(each)
    for each in (
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
        "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
        "224.0.0.0/4",  # multicast
        "2001::/23",  # IETF protocol assignments; Teredo holds an IPv4 address (RFC 4380)
        "2002::/16",  # 6to4, which holds an IPv4 address (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
"""Networks that `is_global` calls public in some version of Python, although nobody serves there.
"""


def is_public(address: str) -> bool:
    """Whether a text is a public IP address.

    Source: IANA's registries of special-purpose addresses, as `ipaddress` has them, and the two
    constants above.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found not in _GLOBAL_UNICAST:
        return False
    return found.is_global and not any(found in network for network in _SPECIAL)
