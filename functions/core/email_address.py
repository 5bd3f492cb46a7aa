"""Email addresses, validated and normalised before use."""

from typing import Any, Self

from functions.core.parameters import NotValid, ValidatedStr
from functions.core.pasted import strip_invisible

_DOTLESS_DOMAINS = frozenset({"gmail.com", "googlemail.com"})
"""Domains whose provider ignores dots in the local part."""


_LINK = "mailto:"


class EmailAddress(ValidatedStr):
    """Email address as people write it: NFC, with its domain in lower case."""

    deliver_to: str
    """Address for the provider, with an ASCII domain."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Reads an address as people paste it, also from a link (`mailto:`).

        DNS is not queried: a message tells as much, and DNS may fail. Raises `NotValid`.
        """
        from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - slow

        pasted = strip_invisible(text)
        if pasted[: len(_LINK)].lower() == _LINK:
            pasted = pasted[len(_LINK) :]
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
        return {"format": "email", "maxLength": 254, "examples": ["ana@example.com"]}

    @property
    def domain(self) -> str:
        """Domain of `deliver_to`."""
        return self.deliver_to.rpartition("@")[2]

    @property
    def canonical(self) -> str:
        """Key for limits: the same for all spellings that reach one mailbox."""
        local, _, domain = self.deliver_to.lower().rpartition("@")
        local = local.partition("+")[0] or local
        if domain in _DOTLESS_DOMAINS:
            local, domain = local.replace(".", ""), "gmail.com"
        return f"{local}@{domain}"


def masked(address: str) -> str:
    """Masked address that its owner recognises: `a**@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[0]}**@{domain}"
