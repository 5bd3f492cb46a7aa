"""Twilio's SDK: its client, with timeouts and without retries, and its errors."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from functions.core import aws, config
from functions.core.errors import ProviderUnavailable
from functions.core.messages.provider_failures import ProviderFailure, failed
from functions.core.messages.providers.settings import ProviderSettings
from functions.core.messages.providers.twilio_account import PROVIDER, TwilioAccount, account

API_URL = "https://api.twilio.com"

REFUSALS = frozenset(
    {
        21211,  # the number is invalid
        21214,  # the number cannot be reached by a call
        21215,  # calls to the region are not permitted
        21216,  # calls to the number are not permitted
        21217,  # the number does not appear to be valid
        21265,  # the number is a short code
        21408,  # SMS to the region is not permitted
        21610,  # opted out
        21612,  # no route to the number
        21614,  # not a mobile number
        21617,  # the text is too long
        21635,  # a landline
        30004,  # blocked by the carrier or the person
        30005,  # unknown number
        30006,  # a landline, or a carrier without SMS
        30007,  # filtered: by content or sender; to try elsewhere is what carriers call snowshoeing
        30450,  # blocked by SMS pumping protection
        63003,  # no such WhatsApp user
        63014,  # the WhatsApp user has blocked the sender
        63024,  # invalid WhatsApp recipient
    }
)
"""Twilio's codes that concern the number or the text (twilio.com/docs/api/errors).

All others concern this account or Twilio: 20003 and 20404 credentials, 20429 throttled, 21606,
21659 and 21660 the sender, 21608 a trial account, 30001 a full queue, 30002 a suspended account.
30003 (handset switched off now) and 30008 (unknown) are left out because they may be transient.
"""

_FAILED = frozenset({"failed", "undelivered", "canceled"})


def create(request: Callable[[Client, TwilioAccount], Any]) -> str:
    """Creates a message or a call with Twilio's client; returns its SID.

    Raises:
        ProviderRefused: when Twilio definitely refused it because of the number or the text.
        ProviderUnavailable: when Twilio is throttled, failing or out of reach, or the account is
            not set up.
    """
    about = account()
    try:
        made = request(_client(about), about)
    except (TwilioException, RequestException, ValueError) as error:
        # No cause: Twilio's sentence may quote number and text. ValueError: an answer is not JSON.
        raise _failure(error) from None
    if made.status in _FAILED or not made.sid:
        code = getattr(made, "error_code", None)
        raise failed(PROVIDER, f"{made.status} {code}", refused=code in REFUSALS)
    return str(made.sid)


def prepare() -> None:
    """Makes the client at init. A mistake in the secret is reported by each send."""
    with suppress(ProviderUnavailable):
        _client(account()).api.v2010  # noqa: B018 - imports the API's modules, the slow part


def _failure(error: Exception) -> ProviderFailure:
    code = getattr(error, "code", None)
    word = f"{type(error).__name__} {getattr(error, 'status', '')} {code or ''}".strip()
    return failed(PROVIDER, word, refused=code in REFUSALS, connected=not _never_connected(error))


def _never_connected(error: Exception) -> bool:
    """Whether certainly no request reached Twilio."""
    if not isinstance(error, RequestsConnectionError):
        return False
    cause = error.args[0] if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(
        getattr(cause, "reason", None), NewConnectionError
    )


@config.cached(most=1)
def _client(about: TwilioAccount) -> Client:
    """Makes a client per account, so a rotated secret gets a new one."""
    return Client(*about.credentials, about.account_sid, http_client=_Http())


class _Http(TwilioHttpClient):  # type: ignore[misc] # ships no types
    """Twilio's own HTTP client, at the configured URL and with a timeout for connecting.

    No connection is kept: connections die while Lambda freezes a process, and a request on a dead
    one must not be repeated.
    """

    def __init__(self) -> None:
        super().__init__(pool_connections=False)
        self.timeout = (aws.CONNECT_TIMEOUT_SECONDS, aws.READ_TIMEOUT_SECONDS)

    def request(self, method: str, url: str, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on
        url = url.replace(API_URL, config.read(ProviderSettings).twilio_url or API_URL, 1)
        return super().request(method, url, *arguments, **named)
