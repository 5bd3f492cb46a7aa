"""POSTs bytes to a configured URL. Follows no redirect, uses no proxy, retries nothing."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

from functions.core import config
from functions.core.errors import DeliveryRefused, NotDelivered
from functions.core.outbound_http.addresses import is_public
from functions.core.outbound_http.exchange import Bounded, OutboundAnswer, exchange, seconds_until
from functions.core.outbound_http.settings import OutboundSettings
from functions.core.outbound_http.url import Target, read_url

CONNECT_SECONDS = 3.0
"""Time to connect to one address; the next one may answer."""
ALL_SECONDS = 10.0
"""Time from the first connection attempt to the end of what is read of the answer."""
_LOOPBACK = ["127.0.0.1", "::1"]

_SENTENCES: dict[type[Exception], str] = {
    socket.gaierror: "The receiver's name cannot be resolved.",
    ssl.SSLCertVerificationError: "The receiver has no valid certificate for its name.",
    TimeoutError: "The receiver did not answer in time.",
    http.client.RemoteDisconnected: "The receiver closed the connection without an answer.",
    http.client.HTTPException: "The receiver's answer is not HTTP.",
    OSError: "The receiver cannot be reached.",
}
"""Looked up in this order. The libraries' own messages may quote the answer."""


def resolve(host: str) -> list[str]:
    """Addresses of a host, in the order in which the system would try them. Raises `OSError`."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Network(NamedTuple):
    """The network between here and a receiver. Tests have their own."""

    resolve: Callable[[str], list[str]] = resolve
    connect: Callable[[tuple[str, int], float], socket.socket] = socket.create_connection
    authorities: str = ""
    """Path of trusted certificates, instead of the public authorities'."""
    seconds: float = ALL_SECONDS


INTERNET = Network()


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    network: Network = INTERNET,
    *,
    read_body: bool = False,
) -> OutboundAnswer:
    """POSTs to a URL's host, at an address that was found to be public.

    Args:
        url: as configured.
        body: bytes to send.
        headers: those that http.client does not make.
        network: the internet, except in tests.
        read_body: whether the answer's body is read as well, up to 64 KB with its head.

    Raises:
        DeliveryRefused: the URL, or an address of its host, is not allowed.
        NotDelivered: there was no answer.
    """
    target = read_url(url, local=config.read(OutboundSettings).local_receivers)
    try:
        return _post(target, body, headers, network, read_body=read_body)
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(
            next(_SENTENCES[kind] for kind in _SENTENCES if isinstance(error, kind))
        ) from None


def prepare() -> None:
    """Reads settings and certificates, for init."""
    config.read(OutboundSettings)
    _tls("")


def _post(
    target: Target, body: bytes, headers: Mapping[str, str], network: Network, *, read_body: bool
) -> OutboundAnswer:
    addresses = _addresses(target, network)
    ends_at = time.monotonic() + network.seconds
    with ExitStack() as stack:
        connection = stack.enter_context(_connect(addresses, target.port, network, ends_at))
        if target.secure:
            connection.settimeout(seconds_until(ends_at))
            secure = _tls(network.authorities).wrap_socket(connection, server_hostname=target.host)
            connection = stack.enter_context(secure)
        bounded = Bounded(connection, ends_at)
        return exchange(target, body, headers, bounded, read_body=read_body)


def _addresses(target: Target, network: Network) -> list[str]:
    """Addresses of the target, all public.

    A name with a public and a private address is refused: that is how a URL is smuggled in.
    """
    if not target.secure:
        return _LOOPBACK
    found = network.resolve(target.host)
    if not all(is_public(each) for each in found):
        raise DeliveryRefused("The host of the URL has an address that is not public.")
    return found


def _connect(addresses: list[str], port: int, network: Network, ends_at: float) -> socket.socket:
    """Connects to the first checked address.

    The name is not resolved again: DNS may have changed.
    """
    failure = OSError("The name has no address.")
    for address in addresses:
        try:
            return network.connect((address, port), min(CONNECT_SECONDS, seconds_until(ends_at)))
        except OSError as error:
            failure = error
    raise failure


@config.cached(lasting=True)
def _tls(authorities: str) -> ssl.SSLContext:
    """Requires a valid certificate. Made once, because reading the authorities takes a while."""
    import certifi  # noqa: PLC0415 - only who makes requests pays for it

    return ssl.create_default_context(cafile=authorities or certifi.where())
