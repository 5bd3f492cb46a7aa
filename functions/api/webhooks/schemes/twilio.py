"""Twilio: `X-Twilio-Signature`, an HMAC over the URL and a form's sorted fields.

For JSON the URL holds the body's hash, and the HMAC is over the URL.
Source: https://www.twilio.com/docs/usage/security#validating-requests
"""

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, parse_qsl, urlparse

from twilio.request_validator import (
    RequestValidator,
    add_port,
    get_signature_algorithm,
    remove_port,
)

from functions.api.webhooks.checks import (
    MAX_FIELDS,
    header,
    read_json,
    refuse_unless_signed,
    sha256,
)
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.core.errors import WrongSignature

_BODY_HASH = "bodySHA256"
_SETTINGS = "x-twilio-webhooks-signature-settings"


class _Form(dict[str, list[str]]):
    """Form with repeated fields, which the validator reads by the name of Django's method."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def verify(received: Received, keys: Sequence[str], _now: float) -> WebhookDelivery:
    """Verifies a delivery. The body is JSON if the signed URL holds its hash, else a form.

    The content type is not signed, so it decides nothing. The validator's own `validate` fails on
    JSON without a hash, and ignores the hash if there are form fields. Here a hash in the URL must
    always match.
    """
    signature = header(received, "x-twilio-signature")
    try:
        query = dict(
            parse_qsl(
                received.query, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
            )
        )
        form = _Form() if _BODY_HASH in query else _read_form(received.body)
        expected = list(_signatures(received, keys, form))
    except ValueError:  # invalid UTF-8, too many fields, or an unknown algorithm
        raise WrongSignature("The request does not have the form that Twilio signs.") from None
    refuse_unless_signed(expected, [signature])
    key = sha256((_full_url(received.url, received.query) + _signed_fields(form)).encode())
    return WebhookDelivery(
        key=key, payload=_payload(received.body, form, query.get(_BODY_HASH)), query=query
    )


def _signatures(received: Received, keys: Sequence[str], form: _Form) -> Iterator[str]:
    """Yields the signatures of each key. Twilio signs some URLs with a port and some without."""
    algorithm = get_signature_algorithm(received.headers.get(_SETTINGS))
    own = urlparse(received.url)
    for key in keys:
        for url in (remove_port(own), add_port(own)):
            yield RequestValidator(key).compute_signature(
                _full_url(url, received.query), form, algorithm
            )


def _read_form(body: bytes) -> _Form:
    fields = parse_qs(
        body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
    )
    return _Form({name: sorted(set(values)) for name, values in fields.items()})


def _payload(body: bytes, form: _Form, body_hash: str | None) -> object:
    if body_hash is None:
        return {name: _value(values) for name, values in form.items()}
    if body_hash != sha256(body):
        raise WrongSignature("The body does not match the signed hash.")
    return read_json(body)


def _value(values: list[str]) -> str | list[str]:
    """Value of a field; a list if the field is repeated. Order and number are not signed."""
    return values[0] if len(values) == 1 else values


def _full_url(url: str, query: str) -> str:
    return f"{url}?{query}" if query else url


def _signed_fields(form: _Form) -> str:
    """Fields as Twilio signs them, with no separators. Forms that sign alike are one delivery."""
    return "".join(name + value for name in sorted(form) for value in form[name])
