"""Email addresses that are read without email-validator, beside those that it reads."""

import email_validator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.email_address import EmailAddress
from functions.core.parameters import NotValid

NAMES = st.text("abcxyz019-_.+'!", min_size=1, max_size=66)
LABELS = st.text("abn019-x", min_size=1, max_size=8) | st.sampled_from(["xn--a", "ab--c", "a" * 64])
DOMAINS = st.lists(LABELS | st.sampled_from(["com", "test", "de"]), min_size=1, max_size=4)


def ours(text: str) -> tuple[str, str] | None:
    try:
        address = EmailAddress.read(text)
    except NotValid:
        return None
    return str(address), address.deliver_to


def theirs(text: str) -> tuple[str, str] | None:
    try:
        valid = email_validator.validate_email(
            text, check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except email_validator.EmailNotValidError:
        return None
    return valid.normalized, valid.ascii_email or valid.normalized


@given(NAMES, DOMAINS)
def test_an_address_is_read_as_email_validator_reads_it(name: str, labels: list[str]) -> None:
    text = f"{name}@{'.'.join(labels)}"
    assert ours(text) == theirs(text)


@pytest.mark.parametrize(
    "text",
    [
        "ana@example.com",
        "ana+news@mail.example.co.uk",
        "o'neil@example.com",
        "Ana@Example.com",
        "POSTMASTER@example.com",
        "ana@exámple.com",
        "ana@xn--bcher-kva.de",
        "ana@xn--a.de",
        "ana@ab--c.de",
        "ana@-a.de",
        "ana@a-.de",
        "ana@example.c0",
        "ana@example.com.",
        "ana@example",
        "ana@[127.0.0.1]",
        ".ana@example.com",
        "ana.@example.com",
        "a..na@example.com",
        '"ana"@example.com',
        "ana@example.com\n",
        "a" * 64 + "@example.com",
        "a" * 65 + "@example.com",
        "ana@" + "a" * 63 + ".de",
        "ana@" + "a" * 64 + ".de",
        "ana@example." + "a" * 63,
        "a@" + "a.b" * 84 + ".example",
        "a" * 50 + "@" + ".".join(["a" * 50] * 4),
        *(f"ana@example.{name}" for name in email_validator.SPECIAL_USE_DOMAIN_NAMES),
        *(f"ana@{name}" for name in email_validator.SPECIAL_USE_DOMAIN_NAMES),
        *(f"ana@{name}.com" for name in email_validator.SPECIAL_USE_DOMAIN_NAMES),
    ],
)
def test_an_edge_is_where_email_validator_has_it(text: str) -> None:
    pasted = text.strip()
    assert ours(text) == theirs(pasted)
