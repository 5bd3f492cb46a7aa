"""What is known of numbering plans beyond the library's metadata, and which numbers cannot be."""

import re
from typing import TYPE_CHECKING

from functions.core.parameters import NotValid

if TYPE_CHECKING:
    import phonenumbers as pn

_NO_SUCH_NUMBER = "is not a phone number of any country; check its digits"

_ARGENTINA, _BRAZIL, _MEXICO = 54, 55, 52

_MEXICAN_OF_BEFORE = re.compile(r"(?:1|44|45)(\d{10})")
"""Mobile prefixes that Mexico gave up: +52 1 from abroad, 044 and 045 within (IFT, August 2019)."""

_ARGENTINE_DIGITS = 10
"""Digits of an Argentine number but a mobile one, which has a 9 before them (ENACOM)."""

_ARGENTINE = (
    "is an Argentine landline, or a mobile number without its 9; write a mobile number as +54 9 "
    "and the area code, such as +54 9 11 2345 6789"
)

_BRAZILIAN_OF_BEFORE = re.compile(r"\d{2}[6-9]\d{7}")
"""Area code and a mobile number of eight digits. Since 2016 all have nine, the first of which is a
9 (Anatel, Resolution 553/2010). The library still knows some of eight.
"""

_BRAZILIAN = (
    "is a Brazilian mobile number without its ninth digit; write it with a 9 after the area code, "
    "such as +55 11 9 8765 4321"
)


def as_dialled_now(number: "pn.PhoneNumber") -> None:
    """Takes a mobile prefix away that Mexico gave up, in place: +52 1 55 … is +52 55 …."""
    old = _MEXICAN_OF_BEFORE.fullmatch(str(number.national_number))
    if number.country_code == _MEXICO and old:
        number.national_number, number.italian_leading_zero = int(old[1]), None


def refuse_impossible(number: "pn.PhoneNumber") -> None:
    """Refuses a number that nobody can have.

    The library learns of new ranges of numbers with a delay, so a number that it does not know need
    not be wrong. It is where the plan is settled: the number is in no country's part of a shared
    code such as +1; or no mobile number of its country has its length; or Brazil or Argentina has
    settled how mobile numbers begin.

    Raises:
        NotValid: with a sentence that says how to write the number, where that is known.
    """
    import phonenumbers as pn  # noqa: PLC0415 - only SMS pays for it

    code, digits = number.country_code, str(number.national_number)
    if code == _BRAZIL and _BRAZILIAN_OF_BEFORE.fullmatch(digits):
        raise NotValid(_BRAZILIAN)
    if pn.is_valid_number(number):
        return
    if code == _ARGENTINA and len(digits) == _ARGENTINE_DIGITS:
        raise NotValid(_ARGENTINE)
    length = pn.is_possible_number_for_type_with_reason(number, pn.PhoneNumberType.MOBILE)
    settled = code in {_ARGENTINA, _BRAZIL} or not pn.region_code_for_number(number)
    if settled or length != pn.ValidationResult.IS_POSSIBLE:
        raise NotValid(_NO_SUCH_NUMBER)


def correction(number: "pn.PhoneNumber") -> str | None:
    """Sentence on a landline that may be a mobile number, written wrongly; null elsewhere."""
    return _ARGENTINE if number.country_code == _ARGENTINA else None
