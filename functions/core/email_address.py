"""Email addresses, validated and normalised before use."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from functions.core.parameters import NotValid, ValidatedStr
from functions.core.pasted import strip_invisible

_LINK = "mailto:"
_LONGEST = 254
"""Characters of an address that SMTP carries (RFC 5321 §4.5.3.1)."""

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_RESERVED = "arpa|invalid|local|localhost|onion|test"
_PLAIN = re.compile(
    rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?!(?:{_RESERVED})\Z)[a-z]{{2,63}}"
)
"""An address of ASCII in lower case, as nearly all are: valid, and normalised already.

For it email-validator would compile its patterns of all Unicode, which takes a tenth of a cold
start. A test compares the two.
"""


class EmailAddress(ValidatedStr):
    """Email address as people write it: NFC, with its domain in lower case."""

    deliver_to: str
    """Address for the provider, with an ASCII domain."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Reads an address as people paste it, also from a link (`mailto:`).

        DNS is not queried: a message tells as much, and DNS may fail. Raises `NotValid`.
        """
        pasted = strip_invisible(text)
        if pasted[: len(_LINK)].lower() == _LINK:
            pasted = pasted[len(_LINK) :]
        if _PLAIN.fullmatch(pasted) and len(pasted) <= _LONGEST:
            address = cls(pasted)
            address.deliver_to = pasted
            return address
        from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - slow

        try:
            valid = validate_email(
                pasted, check_deliverability=False, allow_smtputf8=False, strict=True
            )
        except EmailNotValidError:
            raise NotValid("is not a valid email address") from None
        address = cls(valid.normalized)
        address.deliver_to = valid.ascii_email or valid.normalized
        return address

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """An address; the longest that SMTP carries (RFC 5321 §4.5.3.1)."""
        return {"format": "email", "maxLength": _LONGEST, "examples": ["ana@example.com"]}

    @property
    def domain(self) -> str:
        """Domain of `deliver_to`."""
        return self.deliver_to.rpartition("@")[2]

    @property
    def account(self) -> str:
        """Address in lower case, by which an app knows its user, however it is typed.

        Not `casefold`: it would make the domain straße.de another one, strasse.de.
        """
        return self.lower()

    @property
    def canonical(self) -> str:
        """Key for limits: the same for all spellings that reach one mailbox."""
        local, _, domain = self.deliver_to.lower().rpartition("@")
        if found := _SUBDOMAIN.fullmatch(domain):
            local, domain = found.groups()
        rule = _rule_of(domain)
        local = re.split(f"[{rule.separators}]", local, maxsplit=1)[0] or local
        return f"{local.translate(rule.letters) or local}@{rule.domain or domain}"


class _Rule(NamedTuple):
    """Addresses that a provider delivers to one mailbox."""

    domain: str = ""
    """Domain that stands for all of the provider's; without one, each domain is its own."""
    separators: str = "+"
    """Characters that begin what the provider ignores in the local part.

    `+` also where a provider is unknown: most have it, and elsewhere no name has a `+`, so two
    people hardly ever share a key.
    """
    letters: Mapping[int, int | None] = MappingProxyType({})
    """Letters of the local part that the provider ignores, or takes for another."""


_ANY_DOMAIN = _Rule()

_GMAIL = _Rule("gmail.com", letters=str.maketrans("", "", "."))
"""Gmail Help, "Dots don't matter in Gmail addresses"; googlemail.com is its name in some countries.
"""

_PROTON = _Rule("proton.me", letters=str.maketrans("", "", "._-"))
"""Proton, "Email addresses and aliases": a name is one account's on all of these domains. Its web
client takes `+` and what follows, dots, underscores and hyphens off (removeEmailAlias).
"""

_ICLOUD = _Rule("icloud.com")
"""Apple, "About your @icloud.com, @me.com, and @mac.com email addresses" (118230)."""

_YANDEX = _Rule("yandex.ru", letters=str.maketrans(".", "-"))
"""Yandex ID Help, "Alternate email addresses": a login is one account's on all Yandex domains. A
full stop and a hyphen in a login are the same.
"""

_YANDEX_DOMAINS = (
    *("yandex.ru", "yandex.by", "yandex.com", "yandex.com.tr", "yandex.kz", "yandex.ua"),
    *("yandex.uz", "ya.ru", "narod.ru"),
)
"""Yandex ID Help, "I forgot my password", names them. Only these: whoever has yandex.<another
country> could end the limits of everybody's mailbox by the valid codes of their own.
"""

_YAHOO = _Rule(separators="+-")
"""Yahoo Help, "Disposable email addresses": `<base name>-<keyword>`. No Yahoo ID has a hyphen."""

_RULES = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), _GMAIL),
    **dict.fromkeys(("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), _PROTON),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), _ICLOUD),
    **dict.fromkeys(_YANDEX_DOMAINS, _YANDEX),
    **dict.fromkeys(("ymail.com", "rocketmail.com", "myyahoo.com"), _YAHOO),
}
"""Rules by domain. Microsoft's (outlook.com, hotmail.com, live.com, msn.com) have `+` alone."""

_YAHOO_DOMAIN = re.compile(r"yahoo\.(?:com|com?\.[a-z]{2}|[a-z]{2})")
"""Yahoo has a domain in many countries; each has mailboxes of its own."""

_SUBDOMAIN = re.compile(r"([^.]+)\.(fastmail\.(?:com|fm|cn|de|es|fr|in|jp|net|nl|org|se|to|uk|us))")
"""Fastmail Help, "Plus addressing and subdomain addressing": all of a user's subdomain is theirs.
"""


def _rule_of(domain: str) -> _Rule:
    if rule := _RULES.get(domain):
        return rule
    return _YAHOO if _YAHOO_DOMAIN.fullmatch(domain) else _ANY_DOMAIN


def masked(address: str) -> str:
    """Masked address that its owner recognises: `a**@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[0]}**@{domain}"
