"""Formulas in texts: what a spreadsheet would run is written as text, and read back unchanged.

Source: OWASP, CSV Injection. An apostrophe before such a text makes it one. A text that begins with
apostrophes already gets one more, so that taking one off gives back every text.
"""

import re

_RISKY = re.compile(r"'*(?!-[\d.,]*\Z)\s*[=+\-@＝＋－＠]|'*[\t\r\n]")  # noqa: RUF001 - OWASP names these too
"""Texts that a spreadsheet may run, or that this module has marked. A negative number is none."""
_FIRST = frozenset("'=+-@＝＋－＠ \t\r\n\v\f\u00a0")  # noqa: RUF001
"""First characters of almost all of them; a quick test for all other texts."""


def mark(text: str) -> str:
    """The text as a spreadsheet shows it and runs nothing."""
    return f"'{text}" if _is_risky(text) else text


def unmark(cell: str) -> str:
    """The text that `mark` was given."""
    return cell[1:] if cell[:1] == "'" and _is_risky(cell[1:]) else cell


def _is_risky(text: str) -> bool:
    return text[:1] in _FIRST and _RISKY.match(text) is not None
