"""Functions that expressions of sources.toml have beside those of JMESPath."""

import hmac

import pytest

from functions.api.webhooks.declared.amounts import NotAnAmount, amount
from functions.api.webhooks.declared.expressions import (
    DoesNotFit,
    NotAnExpression,
    check,
    digest_with,
    search,
)


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (1999, "usd", "19.99"),
        (1200, "EUR", "12.00"),
        (5, "eur", "0.05"),
        (0, "eur", "0.00"),
        (-1250, "eur", "-12.50"),
        (1999, "JPY", "1999"),
        (1999, "krw", "1999"),
        (1234, "KWD", "1.234"),
        (5, "bhd", "0.005"),
        (12345, "CLF", "1.2345"),
        ("1999", "usd", "19.99"),
        ("19.5", "usd", "0.195"),
        (1999.0, "usd", "19.99"),
        (100, "xyz", "1.00"),
        (1999, 2, "19.99"),
        (1999, 0, "1999"),
        (123456789012345678, "eur", "1234567890123456.78"),
        ("100", "eur", "1.00"),
        (0, "jpy", "0"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(
    value: float | str, currency: str | float, text: str
) -> None:
    assert amount(value, currency) == text


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        ("", "eur"),
        ("x", "eur"),
        ("nan", "eur"),
        ("1e999", "eur"),
        ("1e-999", "eur"),
        (1, "euro"),
        (1, 1.5),
        (1, -1),
        (1, ""),
    ],
)
def test_what_is_no_amount_is_refused(value: float | str, currency: str | float) -> None:
    with pytest.raises(NotAnAmount):
        amount(value, currency)


def test_an_expression_calls_amount() -> None:
    payload = {"amount": 1999, "currency": "eur"}
    known = {"payload": payload}
    assert search("{total: amount(payload.amount, payload.currency)}", known) == {"total": "19.99"}
    assert search("amount(payload.amount, `0`)", known) == "1999"


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("amount(payload.none, 'eur')", "amount() got a value of the type null"),
        ("amount('confidential', 'eur')", "is not a number"),
        ("amount(`1`, 'confidential')", "neither a currency"),
        ("abs('confidential')", "abs() got a value of the type string"),
    ],
)
def test_what_does_not_fit_is_told_without_the_payload(expression: str, told: str) -> None:
    with pytest.raises(DoesNotFit) as caught:
        search(expression, {"payload": {}})
    assert told in str(caught.value)
    assert "confidential" not in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("payload.", "Parse error at column 8"),
        ("{a: [?b == nowhere(c)]}", "there is no function nowhere()"),
        ("abs()", "abs() takes 1 arguments"),
        ("not_null()", "not_null() takes 1 arguments"),
        ("hmac('x')", "there is no function hmac()"),
    ],
)
def test_a_mistake_in_an_expression_is_found_before_a_delivery_comes(
    expression: str, told: str
) -> None:
    with pytest.raises(NotAnExpression) as caught:
        check(expression)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "expression", ["payload", "not_null(a, b, c)", "sort_by(payload, &a)", "a[?b].{c: abs(d)}"]
)
def test_a_right_expression_has_no_mistake(expression: str) -> None:
    check(expression)


def test_hmac_signs_for_challenges_alone() -> None:
    check("{a: hmac(payload.b)}", signing=True)
    sign = digest_with("k", "sha256", "hex")
    assert search("hmac('abc')", {}, sign) == hmac.new(b"k", b"abc", "sha256").hexdigest()
