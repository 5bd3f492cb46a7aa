"""Search for codes in texts."""

import re


def stands_in(code: str, text: str) -> bool:
    """Whether a text has the code outside of a timestamp, a longer number or an id."""
    return re.search(rf"(?<![\w.:-]){code}(?![\w.:-])", text) is not None
