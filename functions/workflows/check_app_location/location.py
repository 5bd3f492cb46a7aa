"""Identifiers of this deployment, compared with those that a caller expects."""

from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from functions.core import config, http
from functions.core.parameters import NotValid, Result, ValidatedStr

_DEFAULT_PORTS = {"https": 443, "http": 80}


@config.settings()
class LocationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Identifiers of this deployment; read from the environment."""

    stage: str
    aws_region: str
    """Lambda's own variable."""


def command(words: str) -> str:
    """AWS CLI command for this deployment, ready to type."""
    return f"aws {words} --region {config.read(LocationSettings).aws_region}"


class Url(ValidatedStr):
    """An http or https URL of an API: scheme, host, optional port and path."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Validates the URL without any request. Raises `NotValid`."""
        try:
            normal_form(text)
        except ValueError:
            raise NotValid(
                "must be a URL such as https://api.example.com, without a query"
            ) from None
        return cls(text)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """A URL's form."""
        return {
            "pattern": r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^?#@]+$",
            "examples": ["https://api.example.com"],
        }


class Identifier(Result):
    """Identifier as the caller expects it, and as it is. `matches` is null if none was given."""

    given: str | None
    """Identifier that the caller expects."""
    actual: str | None
    """Identifier of this deployment; null if it is unknown."""
    matches: bool | None
    """Whether they are the same."""


def compared(given: str | None, actual: str | None) -> Identifier:
    """Compares exactly. A given identifier does not match an unknown one."""
    return Identifier(
        given=given, actual=actual, matches=None if given is None else given == actual
    )


def compared_url(given: str | None, domain: str | None) -> Identifier:
    """Compares the URL with the setting `PublicUrl`, or else with the `domain` of the request."""
    actual = http.public_url() or (f"https://{domain}" if domain else None)
    matches = (
        None if given is None else bool(actual) and normal_form(given) == normal_form(str(actual))
    )
    return Identifier(given=given, actual=actual, matches=matches)


def normal_form(url: str) -> str:
    """Normal form of a URL (RFC 3986 §6.2): lower case, no default port, no slashes at the end.

    Raises:
        ValueError: not an http or https URL, or one with a user name, a query or a fragment.
    """
    parts = urlsplit(url.strip())
    extra = parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or extra:
        raise ValueError(url)
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
