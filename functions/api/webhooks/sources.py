"""Sources of webhooks, as sources.toml has them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError
from msgspec import Meta

from functions.api.webhooks.scheme import SchemeName
from functions.core import config
from functions.core.config import SettingsError
from functions.core.errors import FieldError, InvalidParameters, NotFound

SOURCES = Path(__file__).parent / "sources.toml"


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may start runs of one workflow, and only of that."""

    scheme: SchemeName
    workflow: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    parameters: str
    """A JMESPath expression."""
    secret: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9:_-]+$")] | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError` for what fits each type but not the others."""
        if self.scheme == "sns" and not self.topic:
            raise ValueError("a source of the scheme sns needs a topic")
        if self.scheme != "sns" and not self.secret:
            raise ValueError(f"a source of the scheme {self.scheme} needs a secret")
        try:
            jmespath.compile(self.parameters)
        except JMESPathError as error:
            raise ValueError(f"parameters is not JMESPath: {error}") from None

    def parameters_of(self, payload: Any, query: Mapping[str, str]) -> dict[str, Any] | None:  # noqa: ANN401 - JSON
        """The workflow's parameters for a delivery; null where it starts nothing.

        Raises:
            InvalidParameters: the payload is not one that the expression understands.
        """
        try:
            found = jmespath.search(self.parameters, {"payload": payload, "query": query})
        except JMESPathError:
            found = ""
        if found is None or found is False:
            return None
        if not isinstance(found, dict):
            raise InvalidParameters(
                FieldError("", "The payload is not one that this source's parameters are made of.")
            )
        return found


def find_source(name: str) -> Source:
    """Raises `NotFound`."""
    source = sources().get(name)
    if source is None:
        raise not_there()
    return source


def not_there() -> NotFound:
    """The error for a source that there is not, or that nobody has set up: strangers need not know which."""
    return NotFound("There is no such source of webhooks.")


@config.cached(lasting=True)
def sources() -> dict[str, Source]:
    """All, by name. Raises `SettingsError` with a sentence on the first one that cannot be."""
    return read_sources(SOURCES.read_text())


def read_sources(text: str) -> dict[str, Source]:
    """As `sources`, from the text of such a file."""
    try:
        return msgspec.convert(
            tomllib.loads(text), dict[Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}$")], Source]
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"sources.toml: {error}.") from None
