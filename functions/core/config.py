"""Settings and caches: all that a process reads once and keeps.

A settings type is a struct, registered by `@config.settings("section")` and read by
`config.read(Type)`. Its values come from the environment, else from functions/settings.toml, else
they are its defaults. Everything else that is kept, such as a secret or a client, is a function
under `@config.cached`. `config.reset()` forgets it all, so that no test sees what another one left.
Nothing in functions/ is cached in any other way (tests/unit/test_architecture.py).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, ParamSpec, TypeVar, overload

import msgspec
from msgspec import Meta

S = TypeVar("S", bound=msgspec.Struct)
P = ParamSpec("P")
R = TypeVar("R")

FOLDER = Path(__file__).parents[1]
SETTINGS_FILE = FOLDER / "settings.toml"
READY_FILE = FOLDER / "settings.json"
"""The same as JSON, made by `make build`, so that no cold start reads TOML."""

ENVIRONMENT = Meta(extra={"environment": True})
"""Marks a field of a section that settings.toml does not have: only the environment does."""

STANDARD = "standard"
"""Profile of a section that keeps to the defaults."""

Document = Mapping[str, Any]
"""settings.toml, read: sections by name; under `stage`, sections by the name of a stage."""

PublicUrl = Annotated[
    str, Meta(pattern=r"^(https://|http://(127\.0\.0\.1|localhost):)[^\s?#]*[^\s?#/]$")
]
"""The API's URL where it has a domain of its own, without a slash at the end."""


class SettingsError(Exception):
    """One or more settings are missing or wrong; the message has a sentence for each."""


class Registered(NamedTuple):
    """A settings type's place in settings.toml."""

    section: str
    """Empty where only the environment has its settings."""
    profiles: Mapping[str, Mapping[str, object]]
    """Values by field that a profile of the section stands for, by its name."""


_types: dict[type[msgspec.Struct], Registered] = {}
_read: dict[type[msgspec.Struct], Any] = {}
_forgettable: list[Any] = []
_lasting: list[Any] = []
_clients: list[Any] = []


def settings(
    section: str = "", profiles: Mapping[str, Mapping[str, object]] | None = None
) -> Callable[[type[S]], type[S]]:
    """Registers a struct as a settings type.

    Args:
        section: of settings.toml, whose keys are the struct's fields; empty for settings that only
            the environment has, such as ARNs of resources. Several types may share one.
        profiles: values that the section's key `profile` stands for, by the name of a profile.
    """

    def register(kind: type[S]) -> type[S]:
        _types[kind] = Registered(section, profiles or {})
        return kind

    return register


def registered() -> Mapping[type[msgspec.Struct], Registered]:
    """All settings types of the modules that are imported."""
    return _types


def read(kind: type[S]) -> S:
    """The settings of a registered type, read when they are first asked for.

    Raises:
        SettingsError: with one sentence for each wrong setting.
    """
    found = _read.get(kind)
    if found is None:
        # Most types have no section, and need no file.
        file = document() if _types[kind].section else {}
        found = _read[kind] = read_from(kind, os.environ, file)
    kept: S = found
    return kept


def read_from(kind: type[S], variables: Mapping[str, str], file: Document | None = None) -> S:
    """Reads a struct: each field from its variable, else its key of the file, else its profile.

    A variable is named like the field, in upper case. Its text is converted to the field's type; a
    `tuple` field is a comma-separated list. Where a variable is empty, the default holds.

    Raises:
        SettingsError: with one sentence for each wrong setting.
    """
    section, profiles = _types.get(kind, Registered("", {}))
    stated = _section(section, file or {}, variables.get("STAGE", ""))
    profile = str(variables.get(profile_variable(section), stated.get("profile")) or STANDARD)
    values: dict[str, object] = dict(profiles.get(profile, {}))
    sentences = []
    if profiles and profile not in {STANDARD, *profiles}:
        known = ", ".join([STANDARD, *profiles])
        sentences.append(f"settings.toml, [{section}] profile: {profile} is none of {known}.")
    for field, annotation, required in _fields(kind):
        name = field.upper()
        text = variables.get(name, "").strip()
        try:
            if text:
                values[field] = from_text(text, annotation)
            elif name not in variables and stated.get(field, "") != "":
                name = f"settings.toml, [{section}] {field}"
                values[field] = msgspec.convert(stated[field], annotation)
            elif required:
                sentences.append(f"{name} is not set.")
        except msgspec.ValidationError as error:
            sentences.append(f"{name}: {sentence_of(error)}")
    if sentences:
        raise SettingsError(f"{kind.__name__}: " + " ".join(sentences))
    return kind(**values)


def _fields(kind: type[msgspec.Struct]) -> Iterator[tuple[str, Any, bool]]:
    """Name and type of each field, and whether it is required.

    `msgspec.structs.fields` resolves the types anew, which would be a millisecond of an init.
    """
    names, defaults = kind.__struct_fields__, kind.__struct_defaults__
    without = len(names) - len(defaults)
    for index, name in enumerate(names):
        required = index < without or defaults[index - without] is msgspec.NODEFAULT
        yield name, kind.__annotations__[name], required


def from_text(text: str, annotation: Any) -> object:  # noqa: ANN401 - a type
    """A variable's text as a field's type. Raises `msgspec.ValidationError`."""
    origin = getattr(annotation, "__origin__", annotation)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return msgspec.convert(parts if origin is tuple else text, annotation, strict=False)


def sentence_of(error: msgspec.ValidationError) -> str:
    """Mistake of a value, without a capital letter."""
    text = str(error).replace("`", "")
    return f"{text[:1].lower()}{text[1:]}."


def profile_variable(section: str) -> str:
    """Variable that chooses the profile of a section, such as LIMITS_PROFILE."""
    return f"{section.upper()}_PROFILE"


def _section(section: str, file: Document, stage: str) -> dict[str, Any]:
    """A section's keys; those of the stage win."""
    overriding = file.get("stage", {}).get(stage, {})
    return {**file.get(section, {}), **overriding.get(section, {})}


@overload
def cached(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def cached(
    *, lasting: bool = ..., clients: bool = ..., most: int | None = ...
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def cached(
    function: Callable[..., Any] | None = None,
    *,
    lasting: bool = False,
    clients: bool = False,
    most: int | None = None,
) -> Callable[..., Any]:
    """Keeps a function's results for as long as the process lives, by its arguments.

    Args:
        function: the function.
        lasting: whether the results follow from files that ship or from AWS's own variables, and
            from no setting. `reset` spares them, because they are slow to make.
        clients: whether the results are clients, which hold connections and credentials. They last,
            too, but in no snapshot.
        most: how many results are kept; the least recently used goes. All by default.
    """

    def keep(function: Callable[..., Any]) -> Callable[..., Any]:
        kept = lru_cache(maxsize=most)(function)
        (_clients if clients else _lasting if lasting else _forgettable).append(kept)
        return kept

    return keep if function is None else keep(function)


@cached(lasting=True)
def document() -> Document:
    """settings.toml. Raises `SettingsError` where it is no TOML."""
    if READY_FILE.exists():
        ready: Document = msgspec.json.decode(READY_FILE.read_bytes())
        return ready
    import tomllib  # noqa: PLC0415 - where `make build` has made the JSON, nobody pays for it

    try:
        return tomllib.loads(SETTINGS_FILE.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"settings.toml: {error}.") from None


def reset(*, clients: bool = False, everything: bool = False) -> None:
    """Forgets settings and cached results.

    Args:
        clients: also clients.
        everything: also clients and all other lasting results.
    """
    _read.clear()
    more = [*_clients, *_lasting] if everything else _clients if clients else []
    for kept in [*_forgettable, *more]:
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
    """True if this process is a Lambda function's, where init pays for clients and secrets."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def has_snapstart() -> bool:
    """True if Lambda takes a snapshot of this process and starts others from it (SnapStart)."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def has_proxy() -> bool:
    """True if requests go through a proxy. Its variables are in lower case, too."""
    return any(name.lower() in {"http_proxy", "https_proxy"} for name in os.environ)
