"""Twilio: `X-Twilio-Signature`, an HMAC over the URL and the sorted fields of a form, or over a URL with the body's hash.

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

from functions.api.webhooks.checks import header, read_json, refuse_unless_signed, sha256
from functions.api.webhooks.delivery import Delivery, Received
from functions.core.errors import WrongSignature

_BODY_HASH = "bodySHA256"
_SETTINGS = "x-twilio-webhooks-signature-settings"
_MOST_FIELDS = 1_000


class _Form(dict[str, list[str]]):
    """A form as the validator reads one in which a field is repeated: by the name of Django's method."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def verify(received: Received, keys: Sequence[str], _now: float) -> Delivery:
    """What is signed says what the body is, not its content type: with its hash in the URL it is JSON, else a form.

    The validator's own `validate` fails on JSON without a hash and, given the fields of a form, ignores a hash: one that
    stands in the URL must hold here whatever comes with it.
    """
    given = header(received, "x-twilio-signature")
    try:
        query = dict(
            parse_qsl(
                received.query, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
            )
        )
        form = _Form() if _BODY_HASH in query else _read_form(received.body)
        expected = list(_signatures(received, keys, form))
    except (
        ValueError
    ):  # of what is no UTF-8, of too many fields, of an algorithm that is not Twilio's
        raise WrongSignature("What arrived is not of the form that Twilio signs.") from None
    refuse_unless_signed(expected, [given])
    key = sha256((_full_url(received.url, received.query) + _signed_fields(form)).encode())
    return Delivery(
        key=key, payload=_payload(received.body, form, query.get(_BODY_HASH)), query=query
    )


def _signatures(received: Received, keys: Sequence[str], form: _Form) -> Iterator[str]:
    """Twilio signs some URLs with their port and some without."""
    algorithm = get_signature_algorithm(received.headers.get(_SETTINGS))
    own = urlparse(received.url)
    for key in keys:
        for url in (remove_port(own), add_port(own)):
            yield RequestValidator(key).compute_signature(
                _full_url(url, received.query), form, algorithm
            )


def _read_form(body: bytes) -> _Form:
    fields = parse_qs(
        body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
    )
    return _Form({name: sorted(set(values)) for name, values in fields.items()})


def _payload(body: bytes, form: _Form, body_hash: str | None) -> object:
    if body_hash is None:
        return {name: _value(values) for name, values in form.items()}
    if body_hash != sha256(body):
        raise WrongSignature("The body is not the one whose hash is signed.")
    return read_json(body)


def _value(values: list[str]) -> str | list[str]:
    """A field that is repeated is the list of its values; neither their order nor their number is signed."""
    return values[0] if len(values) == 1 else values


def _full_url(url: str, query: str) -> str:
    return f"{url}?{query}" if query else url


def _signed_fields(form: _Form) -> str:
    """As they are signed, where a name and its value are not kept apart: what could be read in two ways is one delivery."""
    return "".join(name + value for name in sorted(form) for value in form[name])
