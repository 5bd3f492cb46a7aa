"""Webhook sources, from sources.toml."""

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
    """Sender of webhooks, which may start runs of one workflow only."""

    scheme: SchemeName
    workflow: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    parameters: str
    """A JMESPath expression."""
    secret: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9:_-]+$")] | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError` for fields that do not fit each other."""
        if self.scheme == "sns" and not self.topic:
            raise ValueError("a source with the scheme sns needs a topic")
        if self.scheme != "sns" and not self.secret:
            raise ValueError(f"a source with the scheme {self.scheme} needs a secret")
        try:
            jmespath.compile(self.parameters)
        except JMESPathError as error:
            raise ValueError(f"parameters is not a JMESPath expression: {error}") from None

    def parameters_of(self, payload: Any, query: Mapping[str, str]) -> dict[str, Any] | None:  # noqa: ANN401 - JSON
        """Parameters of the workflow for a delivery; None if it starts no run.

        Raises:
            InvalidParameters: the source's expression does not fit the payload.
        """
        try:
            result = jmespath.search(self.parameters, {"payload": payload, "query": query})
        except JMESPathError:
            result = ""
        if result is None or result is False:
            return None
        if not isinstance(result, dict):
            raise InvalidParameters(
                FieldError("", "The payload does not fit this source's expression in sources.toml.")
            )
        return result


def find_source(name: str) -> Source:
    """Source of this name. Raises `NotFound`."""
    source = sources().get(name)
    if source is None:
        raise no_such_source()
    return source


def no_such_source() -> NotFound:
    """Error for a source that does not exist or is not set up. Strangers cannot tell which."""
    return NotFound("This webhook source does not exist or is not set up.")


@config.cached(lasting=True)
def sources() -> dict[str, Source]:
    """All sources by name. Raises `SettingsError` for the first invalid one."""
    return read_sources(SOURCES.read_text())


def read_sources(text: str) -> dict[str, Source]:
    """Reads sources from the text of a file like sources.toml, as `sources` does."""
    try:
        return msgspec.convert(
            tomllib.loads(text), dict[Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}$")], Source]
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"sources.toml: {error}.") from None
