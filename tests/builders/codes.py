"""Codes in texts."""

import re


def stands_in(code: str, text: str) -> bool:
    """Whether a code is in a text, other than in a timestamp, a longer number or an id."""
    return re.search(rf"(?<![\w.:-]){code}(?![\w.:-])", text) is not None
