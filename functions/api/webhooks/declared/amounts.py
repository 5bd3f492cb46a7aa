"""Amounts of money as payments services send them: a whole number of the currency's smallest unit.

Source: ISO 4217, list one (minor units), as of 2026.
"""

from decimal import Decimal, InvalidOperation

_USUAL = 2
_DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_MOST_DIGITS = 40
_MOST_DECIMALS = 12


class NotAnAmount(ValueError):
    """The value is no number, or the second argument is neither a currency nor a few digits."""


def amount(value: float | str, currency: str | float) -> str:
    """Text of an amount: 1999 in "usd" is "19.99", 1999 in "jpy" is "1999".

    Args:
        value: in the smallest unit, also as text.
        currency: code of ISO 4217, in upper or lower case, or the number of decimals.

    Raises:
        NotAnAmount
    """
    digits = _digits(currency)
    try:
        exact = Decimal(str(value).strip())
    except InvalidOperation:
        raise NotAnAmount("the first argument of amount() is not a number") from None
    if not exact.is_finite() or len(exact.as_tuple().digits) + abs(exact.adjusted()) > _MOST_DIGITS:
        raise NotAnAmount("the first argument of amount() is not a number of that size")
    exact = exact.scaleb(-digits).normalize()
    exponent = exact.as_tuple().exponent
    return f"{exact:.{max(digits, -int(exponent))}f}"


def _digits(currency: str | float) -> int:
    if isinstance(currency, str):
        code = currency.strip().upper()
        if len(code) == 3 and code.isascii() and code.isalpha():  # noqa: PLR2004 - ISO 4217
            return _DIGITS.get(code, _USUAL)
    elif currency in range(_MOST_DECIMALS):
        return int(currency)
    raise NotAnAmount("the second argument of amount() is neither a currency nor its decimals")
