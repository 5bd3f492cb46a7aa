"""Settings and caches: all that a process reads once and keeps.

A settings type is a struct, registered by `@config.settings()` and read by `config.read(Type)`.
Everything else that is kept, such as a secret or a client, is a function under `@config.cached`.
`config.reset()` forgets it all, so that no test sees what another one left. Nothing in functions/
is cached in any other way (tests/unit/test_architecture.py).
"""

import os
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, ParamSpec, TypeVar, overload

import msgspec
from msgspec import Meta

S = TypeVar("S", bound=msgspec.Struct)
P = ParamSpec("P")
R = TypeVar("R")

PublicUrl = Annotated[
    str, Meta(pattern=r"^(https://|http://(127\.0\.0\.1|localhost):)[^\s?#]*[^\s?#/]$")
]
"""The API's URL where it has a domain of its own, without a slash at the end."""

_sections: dict[type[msgspec.Struct], str] = {}
_read: dict[type[msgspec.Struct], Any] = {}
_forgettable: list[Any] = []
_lasting: list[Any] = []


class SettingsError(Exception):
    """One or more settings are missing or wrong; the message has a sentence for each."""


def settings(section: str = "") -> Callable[[type[S]], type[S]]:
    """Registers a struct as a settings type.

    Args:
        section: empty for settings that only the environment has, such as ARNs of resources.
    """

    def register(kind: type[S]) -> type[S]:
        _sections[kind] = section
        return kind

    return register


def read(kind: type[S]) -> S:
    """The settings of a registered type, read when they are first asked for.

    Raises:
        SettingsError: with one sentence for each wrong setting.
    """
    found = _read.get(kind)
    if found is None:
        found = _read[kind] = read_from(kind, os.environ)
    kept: S = found
    return kept


def read_from(kind: type[S], variables: Mapping[str, str]) -> S:
    """Reads a struct from variables named like its fields, in upper case.

    Text is converted to the field's type; a `tuple` field is a comma-separated list. An empty
    variable counts as absent, so that the field's default holds.

    Raises:
        SettingsError: with one sentence for each wrong variable.
    """
    values: dict[str, object] = {}
    sentences = []
    for field in msgspec.structs.fields(kind):
        name = field.name.upper()
        text = variables.get(name, "").strip()
        if text:
            try:
                values[field.name] = msgspec.convert(
                    _parts(text, field.type), field.type, strict=False
                )
            except msgspec.ValidationError as error:
                sentences.append(f"{name}: {_lower_first(str(error))}.")
        elif field.required:
            sentences.append(f"{name} is not set.")
    if sentences:
        raise SettingsError(f"{kind.__name__}: " + " ".join(sentences))
    return kind(**values)


@overload
def cached(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def cached(
    *, lasting: bool = ..., most: int | None = ...
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def cached(
    function: Callable[..., Any] | None = None, *, lasting: bool = False, most: int | None = None
) -> Callable[..., Any]:
    """Keeps a function's results for as long as the process lives, by its arguments.

    Args:
        function: the function.
        lasting: whether the results follow from files that ship or from AWS's own variables, and
            from no setting. `reset` spares them, because they are slow to make.
        most: how many results are kept; the least recently used goes. All by default.
    """

    def keep(function: Callable[..., Any]) -> Callable[..., Any]:
        kept = lru_cache(maxsize=most)(function)
        (_lasting if lasting else _forgettable).append(kept)
        return kept

    return keep if function is None else keep(function)


def reset(*, everything: bool = False) -> None:
    """Forgets settings and cached results; the lasting ones only where `everything` is said."""
    _read.clear()
    for kept in [*_forgettable, *(_lasting if everything else ())]:
        kept.cache_clear()


Preparation = type[msgspec.Struct] | Callable[[], object]
"""A settings type, which is read, or a function, which is called."""


def prepare(*parts: Preparation) -> None:
    """Does what init should pay for, so that no request does.

    Raises:
        SettingsError: settings are missing or wrong.
    """
    for part in parts:
        if isinstance(part, type):
            read(part)
        else:
            part()


def table_name(variable: str) -> str:
    """Name of a DynamoDB table, from the environment; PynamoDB wants it when a model is defined."""
    return os.environ.get(variable, "")


def in_lambda() -> bool:
    """Whether this process is a Lambda function's, where init pays for clients and secrets."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def _parts(text: str, annotation: object) -> object:
    origin = getattr(annotation, "__origin__", annotation)
    return [part.strip() for part in text.split(",") if part.strip()] if origin is tuple else text


def _lower_first(text: str) -> str:
    return re.sub(r"`", "", text[:1].lower() + text[1:])
