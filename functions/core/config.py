"""Settings: read once from the environment into a typed struct, or refused with a sentence for each that is wrong."""

import os
import re
from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

S = TypeVar("S", bound=msgspec.Struct)

PublicUrl = Annotated[
    str, Meta(pattern=r"^(https://|http://(127\.0\.0\.1|localhost):)[^\s?#]*[^\s?#/]$")
]
"""The API's URL where it has a domain of its own, without a slash at the end."""


class SettingsError(Exception):
    """One or more settings are missing or wrong; the message has a sentence for each."""


def read_settings(kind: type[S], environment: Mapping[str, str] | None = None) -> S:
    """Reads a struct from environment variables named like its fields, in upper case.

    Text is converted to the field's type; a `tuple` field is a comma-separated list; an empty variable counts as
    absent, so that the field's default holds.

    Raises:
        SettingsError: with one sentence for each wrong variable.
    """
    variables = os.environ if environment is None else environment
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


def table_name(variable: str) -> str:
    """The name of a DynamoDB table, from the environment (PynamoDB wants it when the model is defined)."""
    return os.environ.get(variable, "")


def in_lambda() -> bool:
    """Whether this process is a Lambda function's, where init should pay for clients and secrets."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def _parts(text: str, annotation: object) -> object:
    origin = getattr(annotation, "__origin__", annotation)
    return [part.strip() for part in text.split(",") if part.strip()] if origin is tuple else text


def _lower_first(text: str) -> str:
    return re.sub(r"`", "", text[:1].lower() + text[1:])
