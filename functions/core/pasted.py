"""Cleans pasted text of invisible characters and of unusual spaces, dashes and digits.

Sources: Unicode 16.0 categories; Default_Ignorable_Code_Point of DerivedCoreProperties.txt.
"""

import re
import unicodedata

_BLANK = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
"""Unicode categories of spaces, line ends, controls and format characters."""

_BLANK_LETTERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
"""Invisible fillers of other categories."""

_VARIATION_SELECTORS = range(0xFE00, 0xFE10)

_DROPPED = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad"))
"""Traces of line breaks within a word.

Zero width space, word joiner, byte order mark, soft hyphen.
"""

_DASHES = re.compile(r"[\u2010-\u2015\u2043\u2212\u30fc\u301c\ufe58\ufe63\uff0d\uff70]")


def strip_blank(text: str) -> str:
    """Removes blank and invisible characters at the ends of a text."""
    begin, end = 0, len(text)
    while begin < end and _is_blank(text[begin]):
        begin += 1
    while end > begin and _is_blank(text[end - 1]):
        end -= 1
    return text[begin:end]


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: it is empty, or of blank and invisible characters."""
    begins_visibly = "0" <= text[:1] <= "z"  # most texts, and much faster
    return not begins_visibly and not strip_blank(text)


def strip_invisible(text: str) -> str:
    """Removes blanks at the ends, and invisible characters within words."""
    return strip_blank(text.translate(_DROPPED))


def plain(text: str) -> str:
    """Normalises a text (NFKC): ASCII digits, hyphens and spaces, no invisible characters."""
    shown = [letter for letter in unicodedata.normalize("NFKC", text) if not _is_invisible(letter)]
    spaced = "".join(" " if _is_space(letter) else letter for letter in shown)
    return _DASHES.sub("-", ascii_digits(spaced)).strip()


def ascii_digits(text: str) -> str:
    """Replaces digits of any script by ASCII ones."""
    return "".join(str(unicodedata.digit(letter, letter)) for letter in text)


def _is_blank(letter: str) -> bool:
    return unicodedata.category(letter) in _BLANK or _is_invisible(letter)


def _is_invisible(letter: str) -> bool:
    known = letter in _BLANK_LETTERS or ord(letter) in _VARIATION_SELECTORS
    return known or unicodedata.category(letter) == "Cf"


def _is_space(letter: str) -> bool:
    return unicodedata.category(letter) in {"Zs", "Zl", "Zp"} or letter in "\t\r\n\v\f\x85"
