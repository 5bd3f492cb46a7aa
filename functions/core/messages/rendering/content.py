"""Types of texts and links in emails: nobody can send their own message in the app's name.

Texts have no control characters and none that change the direction of writing (Unicode TR 36 §2.2,
spoofing). Links go to configured hosts over https, and no mail program splits one in two
(links.py). Mail programs also make links of bare names such as `evil.example`. So names of other
hosts get an invisible character after each dot: they stay readable and are not clickable.
"""

import re
from typing import Any, ClassVar, Self

from functions.core import config
from functions.core.messages.rendering.links import break_links, has_link, host_of
from functions.core.messages.settings import MessageSettings
from functions.core.parameters import NotValid, ValidatedStr

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BIDI = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Unicode's Bidi_Control characters; the templates isolate values themselves."""

_OWN_EMAIL = re.compile(r"[a-z0-9]+(?:[._+-]+[a-z0-9]+)*@([a-z0-9.-]+)", re.IGNORECASE | re.ASCII)
"""Word that is an email address and nothing else."""

_LOCAL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1)(?::[1-9][0-9]{0,4})?(?=[/?#]|$)", re.IGNORECASE | re.ASCII
)
"""URL of a page on the developer's own machine, for the local stack only."""

_PUNCTUATION = "()[]{}<>.,;:!?'\"\u201c\u201d\u2018\u2019"


class Line(ValidatedStr):
    """Text of one line, such as a subject or a heading."""

    longest: ClassVar[int] = 200
    """Most characters."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Returns the text without spaces at its ends. Raises `NotValid`."""
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

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Most characters."""
        return {"minLength": 1, "maxLength": cls.longest}


class Name(Line):
    """Name of a person or a thing.

    A stranger to the reader may have chosen it, so it is too short for a message.
    """

    longest = 60


class Paragraph(Line):
    """Text of some sentences."""

    longest = 2000


class Link(ValidatedStr):
    """https URL of a configured host; on the local stack also a URL of this machine."""

    longest: ClassVar[int] = 2000

    @classmethod
    def read(cls, text: str) -> Self:
        """Returns the URL unchanged. Raises `NotValid`."""
        if len(text) > cls.longest:
            raise NotValid(f"must be at most {cls.longest} characters")
        if not is_own_host(host_of(_as_deployed(text))):
            raise NotValid("must go to one of this deployment's link_hosts")
        return cls(text)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Most characters."""
        return {
            "format": "uri",
            "maxLength": cls.longest,
            "examples": ["https://app.example.com/start"],
        }


class UnsubscribeLink(Link):
    """Link that is also in a header, as `<link>`."""

    longest = 868
    """Most characters; SES accepts 870 in a header (SES API v2, MessageHeader)."""


def is_own_host(host: str) -> bool:
    """Whether a host is one of `link_hosts`; `*.example.com` matches every host below it."""
    host = host.lower()
    about = config.read(MessageSettings)
    own = about.link_hosts + (("localhost",) if about.local_links else ())
    return any(
        host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
        for allowed in map(str.lower, own)
    )


def _as_deployed(text: str) -> str:
    """Link to this machine as a link to a deployed page, so that the same rules apply."""
    local = _LOCAL.match(text) if config.read(MessageSettings).local_links else None
    return f"https://localhost{text[local.end() :]}" if local else text


def _without_foreign_link(word: str) -> str:
    """Breaks a name of another host, so that no mail program makes a link of it.

    Raises `NotValid` for a link to another host.
    """
    bare = word.strip(_PUNCTUATION)
    if _is_own(bare):
        return word
    if has_link(word):
        raise NotValid(
            "must not contain links, except https links to link_hosts. Put spaces around a link "
            "and percent-encode brackets, quotes and a second address in it"
        )
    return break_links(word)


def _is_own(word: str) -> bool:
    """Whether a word is a link to one of our hosts, with or without a scheme, or our address."""
    address = _OWN_EMAIL.fullmatch(word)
    if address:
        return address[1].lower() in config.read(MessageSettings).reply_to_domains
    try:
        deployed = _as_deployed(word)
        return is_own_host(
            host_of(deployed if deployed[:8].lower() == "https://" else f"https://{deployed}")
        )
    except NotValid:
        return False
