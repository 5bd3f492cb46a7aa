"""Keys of the function's role, which SnapStart has on a server of Lambda's on the same machine.

Keys in variables would expire in the snapshot (SDKs and Tools Reference Guide, "Container
credential provider").
"""

import http.client
from datetime import datetime

import msgspec

from functions.core import clock, config
from functions.core.aws.connections import NotConnected
from functions.core.aws.environment import AwsEnvironment
from functions.core.aws.signature import Keys
from functions.core.aws.timeouts import CONNECT_TIMEOUT_SECONDS

_ATTEMPTS = 3
"""As by botocore."""
_LEFT_SECONDS = 600
"""Keys are replaced when they have this long left, as by botocore (mandatory refresh)."""


class _Answer(msgspec.Struct, rename="pascal", frozen=True):
    """Answer of the server."""

    access_key_id: str
    secret_access_key: str
    token: str
    expiration: datetime


class _ServedKeys:
    """The server's keys, as long as they are valid."""

    def __init__(self) -> None:
        self._known: _Answer | None = None

    def current(self) -> Keys:
        known = self._known
        if known is None or known.expiration.timestamp() - clock.now() < _LEFT_SECONDS:
            known = self._known = _served()
        return Keys(known.access_key_id, known.secret_access_key, known.token)


def served_keys() -> Keys:
    """The keys that sign a request now.

    Raises:
        NotConnected: the server does not give them, so no request can be sent.
    """
    return _kept().current()


@config.cached
def _kept() -> _ServedKeys:
    return _ServedKeys()


def _served() -> _Answer:
    """The server's answer. Another attempt is as cheap as a look: nothing is done twice."""
    for _ in range(_ATTEMPTS):
        try:
            return _asked()
        except (OSError, http.client.HTTPException, ValueError) as error:
            failure = error
    raise NotConnected("Lambda gives no keys.") from failure


def _asked() -> _Answer:
    environment = config.read(AwsEnvironment)
    url = environment.credentials_url
    if url is None:
        raise OSError("Lambda gives no keys.")
    server = http.client.HTTPConnection(url.netloc, timeout=CONNECT_TIMEOUT_SECONDS)
    try:
        headers = {"Authorization": environment.aws_container_authorization_token}
        server.request("GET", url.path, headers=headers)
        answer = server.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise OSError(f"Lambda gives no keys: status {answer.status}.")
        return msgspec.json.decode(answer.read(), type=_Answer)
    finally:
        server.close()
