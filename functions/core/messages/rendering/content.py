"""What may stand in an email that others fill in: texts and links, checked so that nobody sends theirs in the app's name.

Texts have no control characters and none that change the direction of writing (Unicode TR 36 §2.2,
spoofing). Links go to configured hosts, over https, and no mail program makes two of one (links.py).
Mail programs make links of bare names such as `evil.example` too: in texts, names of other hosts get
an invisible character after each dot, which leaves them readable and not clickable.
"""

import re
from typing import ClassVar, Self

from functions.core.messages.rendering.links import break_links, has_link, host_of
from functions.core.messages.settings import settings
from functions.core.parameters import NotValid, ValidatedStr

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BIDI = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Unicode's Bidi_Control characters; the templates isolate values themselves."""

_OWN_EMAIL = re.compile(r"[a-z0-9]+(?:[._+-]+[a-z0-9]+)*@([a-z0-9.-]+)", re.IGNORECASE | re.ASCII)
"""A word that is an email address, and nothing else besides."""

_LOCAL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1)(?::[1-9][0-9]{0,4})?(?=[/?#]|$)", re.IGNORECASE | re.ASCII
)
"""Where a page is while it is made, on the local stack only."""

_PUNCTUATION = "()[]{}<>.,;:!?'\"\u201c\u201d\u2018\u2019"


class Line(ValidatedStr):
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
        return cls(" ".join(_without_foreign_link(word) for word in text.split(" ")))


class Name(Line):
    """Of a person or a thing. Who chose it may be a stranger to the reader, so it is too short to say anything else."""

    longest = 60


class Paragraph(Line):
    """A text of some sentences."""

    longest = 2000


class Link(ValidatedStr):
    """An https URL that goes to a configured host; on the local stack also one that goes to this machine."""

    longest: ClassVar[int] = 2000

    @classmethod
    def read(cls, text: str) -> Self:
        """The URL as it is. Raises `NotValid`."""
        if len(text) > cls.longest:
            raise NotValid(f"must be at most {cls.longest} characters")
        if not is_own_host(host_of(_as_deployed(text))):
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
        host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
        for allowed in map(str.lower, own)
    )


def _as_deployed(text: str) -> str:
    """A link to this machine in the form that one has elsewhere, so that the same rules hold for it."""
    local = _LOCAL.match(text) if settings().local_links else None
    return f"https://localhost{text[local.end() :]}" if local else text


def _without_foreign_link(word: str) -> str:
    """A word that no mail program makes a link of, unless to a host of ours. Raises `NotValid` for a link to another."""
    bare = word.strip(_PUNCTUATION)
    if _is_own(bare):
        return word
    if has_link(word):
        raise NotValid(
            "must not contain links but https ones to LinkHosts, with spaces around them, and with "
            "brackets, quotes and a second address in them percent-encoded"
        )
    return break_links(word)


def _is_own(word: str) -> bool:
    """Whether a word links to a host of ours, with or without a scheme, or is an email address of ours."""
    address = _OWN_EMAIL.fullmatch(word)
    if address:
        return address[1].lower() in settings().reply_to_domains
    try:
        deployed = _as_deployed(word)
        return is_own_host(
            host_of(deployed if deployed[:8].lower() == "https://" else f"https://{deployed}")
        )
    except NotValid:
        return False
