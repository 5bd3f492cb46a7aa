"""What may stand in an email that others fill in: texts and links, checked so that nobody sends theirs in the app's name.

Texts have no control characters and none that change the direction of writing (Unicode TR 36 §2.2, spoofing). Links go to
configured hosts, over https. Mail programs make links of bare names such as `evil.example` too: in texts, names of other hosts
get an invisible character after each dot, which leaves them readable and not clickable.
"""

import re
from typing import ClassVar, Self

from functions.core.messages.settings import settings
from functions.core.parameters import Checked, NotValid

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BIDI = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Unicode's Bidi_Control characters; the templates isolate values themselves."""

_LINK = re.compile(
    r"https://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::443)?(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?",
    re.IGNORECASE | re.ASCII,
)
"""RFC 3986, with an ASCII host and no userinfo, which would show another host than it goes to."""

_LOCAL = re.compile(r"https?://(?:localhost|127\.0\.0\.1)(?::[1-9][0-9]{0,4})?(?=[/?#]|$)", re.IGNORECASE | re.ASCII)
"""Where a page is while it is made, on the local stack only."""

_EXPLICIT = re.compile(r"://|www\.", re.IGNORECASE)
_OWN = re.compile(r"(?:([a-z0-9.-]+)(?:/[a-z0-9._~/%-]*)?|[a-z0-9._+-]+@([a-z0-9.-]+))", re.IGNORECASE | re.ASCII)
"""A word that is a host with a path, or an email address, and nothing else besides."""

_ASCII_SIGNS = r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e"
_DOT_IN_A_NAME = re.compile(rf"(?<=[^\s{_ASCII_SIGNS}])([.\u3002\uff0e\uff61])(?=[^\s0-9{_ASCII_SIGNS}]{{2}})")
"""Dots and what IDNA takes for dots (RFC 3490 §3.1), as in a host's name of any script."""

_NO_LINK = "\u200c"
"""Zero-width non-joiner."""

_PUNCTUATION = "()[]{}<>.,;:!?'\"\u201c\u201d\u2018\u2019"


class Line(Checked):
    """A text of one line: a subject, a heading."""

    longest: ClassVar[int] = 200
    """Characters."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The text without spaces at its ends. Raises `NotValid`."""
        text = text.strip()
        if not text:
            raise NotValid("must not be empty")
        if len(text) > cls.longest:
            raise NotValid(f"must be at most {cls.longest} characters")
        if _UNPRINTABLE.search(text):
            raise NotValid("must not contain line breaks or control characters")
        if _BIDI.search(text):
            raise NotValid("must not contain characters that change the direction of writing")
        return cls(" ".join(_harmless(word) for word in text.split(" ")))


class Name(Line):
    """Of a person or a thing. Who chose it may be a stranger to the reader, so it is too short to say anything else."""

    longest = 60


class Paragraph(Line):
    """A text of some sentences."""

    longest = 2000


class Link(Checked):
    """An https URL that goes to a configured host; on the local stack also one that goes to this machine."""

    longest: ClassVar[int] = 2000

    @classmethod
    def read(cls, text: str) -> Self:
        """The URL as it is. Raises `NotValid`."""
        found = _LINK.fullmatch(_deployed(text)) if len(text) <= cls.longest else None
        if not found:
            raise NotValid("must be an https URL without a user name, a port, spaces or characters that URLs encode")
        if not is_own_host(found[1]):
            raise NotValid("goes to a host that is not one of LinkHosts")
        return cls(text)


class UnsubscribeLink(Link):
    """A link that also stands in a header, as `<link>`."""

    longest = 868
    """SES takes 870 characters of a header (SES API v2, MessageHeader)."""


def is_own_host(host: str) -> bool:
    """Whether a host is one of `LinkHosts`; `*.example.com` there stands for all below example.com."""
    host = host.lower()
    own = settings().link_hosts + (("localhost",) if settings().local_links else ())
    return any(
        host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed for allowed in map(str.lower, own)
    )


def _deployed(text: str) -> str:
    """A link to this machine in the form that one has elsewhere, so that the same rules hold for it."""
    return _LOCAL.sub("https://localhost", text, count=1) if settings().local_links and _LOCAL.match(text) else text


def _harmless(word: str) -> str:
    """A word that no mail program makes a link of, unless to a host of ours. Raises `NotValid` for a link to another."""
    bare = word.strip(_PUNCTUATION)
    if _EXPLICIT.search(word):
        try:
            Link.read(bare)
        except NotValid:
            raise NotValid("must not contain links but https ones to LinkHosts") from None
        return word
    own = _OWN.fullmatch(bare)
    if own and (is_own_host(own[1] or "") or (own[2] or "").lower() in settings().reply_to_domains):
        return word
    return _DOT_IN_A_NAME.sub(rf"\1{_NO_LINK}", word)
