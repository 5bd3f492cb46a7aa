"""Where this deployment is, and whether what a caller takes it for is true."""

from typing import Self
from urllib.parse import urlsplit

import msgspec

from functions.core import config, http
from functions.core.parameters import NotValid, Result, ValidatedStr

_DEFAULT_PORTS = {"https": 443, "http": 80}


@config.settings()
class LocationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What this deployment is called; read from the environment."""

    stage: str
    aws_region: str
    """Lambda's own variable."""


def command(words: str) -> str:
    """Of the AWS CLI, as it is typed for this deployment."""
    return f"aws {words} --region {config.read(LocationSettings).aws_region}"


class Url(ValidatedStr):
    """An http or https URL of an API: scheme, host, perhaps a port and a path."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """No request is made."""
        try:
            normal_form(text)
        except ValueError:
            raise NotValid(
                "must be a URL such as https://api.example.com, without a query"
            ) from None
        return cls(text)


class Identifier(Result):
    """One of the three: what the caller takes it for, and what it is. `matches` is null where nothing was given."""

    given: str | None
    actual: str | None
    matches: bool | None


def compared(given: str | None, actual: str | None) -> Identifier:
    """Exactly; nothing that is given matches what is not known."""
    return Identifier(
        given=given, actual=actual, matches=None if given is None else given == actual
    )


def compared_url(given: str | None, domain: str | None) -> Identifier:
    """`domain`: that the request came in by; with https in front it is the URL, unless the setting `PublicUrl` names one."""
    actual = http.public_url() or (f"https://{domain}" if domain else None)
    matches = (
        None if given is None else bool(actual) and normal_form(given) == normal_form(str(actual))
    )
    return Identifier(given=given, actual=actual, matches=matches)


def normal_form(url: str) -> str:
    """A URL without what makes no difference: case of scheme and host, a default port, slashes at the end (RFC 3986 §6.2).

    Raises:
        ValueError: when it is no http or https URL, or has a user name, a query or a fragment.
    """
    parts = urlsplit(url.strip())
    extra = parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or extra:
        raise ValueError(url)
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
