"""Links as mail programs find them, in URLs and in texts.

Each mail program makes links of words by its own rules. Most end a URL at white space, quotes and
brackets, some at other punctuation. The rest of the URL may then be a second link. So a URL here
has no sign at which one of them ends it, unless the rest cannot be a link.

Sources: the test cases of linkify-it and of Django's urlize, restated in tests/unit/test_links.py.
Gmail, Outlook and Apple Mail publish no rules; the restrictions cover any sign they may end at.
"""

import re
import unicodedata

from functions.core.parameters import NotValid

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_URL = re.compile(
    rf"https://({_LABEL}(?:\.{_LABEL})*)(?::443)?([/?#].*)?", re.IGNORECASE | re.ASCII | re.DOTALL
)
"""RFC 3986, with an ASCII host and no userinfo, which can disguise the host."""

_TO_ENCODE = re.compile(r"[^A-Za-z0-9._~:/?#@!$&*+,;=%-]|%(?![0-9A-Fa-f]{2})")
"""Characters to percent-encode: all but those of RFC 3986 §2, and its quotes and brackets."""

_SCHEMES = (
    "callto|data|facetime|file|ftp|https?|javascript|mailto|sips?|skype|sms|tel|vbscript|xmpp"
)
_SCHEME = rf"(?<![a-z0-9])(?:{_SCHEMES}):"
"""Schemes that work without `//`."""

_ANOTHER = re.compile(rf"//|www\.|{_SCHEME}", re.IGNORECASE | re.ASCII)
_MAY_END = re.compile(r"[,;:!$*@]|\.\.|\?\?|---")
_IPV4 = r"[0-9]+(?:\.[0-9]+){3,}"
_NAME = re.compile(rf"[a-z0-9-]\.[a-z]|{_IPV4}", re.IGNORECASE | re.ASCII)
"""Part of a host's name, as in `evil.example` and `me@evil.example`."""

_DOTS = ".\u2024\u3002\ufe52\uff0e\uff61"
"""Full stops, and characters that IDNA treats as such (RFC 3490 §3.1, UTS #46)."""

_EXPLICIT = re.compile(
    rf"://|www\.|//(?:localhost|\S*\.)|\\\\\w|{_SCHEME}\S|mailto:\S*@", re.IGNORECASE
)
"""Start of a link, whatever follows. Outlook also links Windows paths, `\\\\server`. An email
address after `mailto:` may be found within a word, too, and needs no dot.
"""

_SIGNS = r"\x21-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e`\x7b-\x7e"
"""ASCII punctuation without - and _."""
_DOT_IN_A_NAME = re.compile(rf"(?<=[^\s{_SIGNS}])([{_DOTS}])(?=[^\s0-9_{_SIGNS}-]{{2}})")
"""Dot within a host's name of any script."""

_NO_LINK = "\u200c"
"""Zero-width non-joiner."""


def host_of(url: str) -> str:
    """Host of an https URL of which no mail program makes more than one link.

    Raises:
        NotValid: with a sentence that says what to change.
    """
    found = _URL.fullmatch(url)
    if not found:
        raise NotValid(
            "must be an https URL without user name and port, its host in ASCII (punycode, xn--…)"
        )
    rest = found[2] or ""
    if _TO_ENCODE.search(rest):
        raise NotValid(
            "must have brackets, quotes, spaces and all characters that are not ASCII "
            "percent-encoded, such as %28 instead of ("
        )
    ends = _MAY_END.search(rest)
    if _ANOTHER.search(rest) or (ends and _NAME.search(rest, ends.start())):
        raise NotValid(
            "must not contain another address, such as https://, //, www. or a name after a sign; "
            "percent-encode it, such as %3A%2F%2F instead of ://, or %40 instead of @"
        )
    return found[1]


def has_link(word: str) -> bool:
    """Whether a word of a text is or contains a link for mail programs, to any host."""
    return bool(_EXPLICIT.search(word if word.isascii() else _as_read(word)))


def break_links(word: str) -> str:
    """Puts an invisible character after each dot that may be in a host's name or IP address.

    The word reads as before, and no mail program makes a link of it.
    """
    word = re.sub(_IPV4, lambda address: address[0].replace(".", f".{_NO_LINK}"), word)
    return _DOT_IN_A_NAME.sub(rf"\1{_NO_LINK}", word)


def _as_read(word: str) -> str:
    """Word without invisible characters, with plain letters for compatible ones."""
    shown = "".join(letter for letter in word if unicodedata.category(letter) != "Cf")
    return re.sub(f"[{_DOTS}]", ".", unicodedata.normalize("NFKC", shown))
