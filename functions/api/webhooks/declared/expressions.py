"""JMESPath expressions of sources.toml, with the functions that this project adds."""

import base64
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import Functions, signature

from functions.api.webhooks.declared.amounts import NotAnAmount, amount
from functions.core import config

Digest = Callable[[str], str]
"""Text signed with the key of a source, as the source writes signatures."""


class NotAnExpression(ValueError):
    """The text is no JMESPath expression, or calls a function that does not exist."""


class DoesNotFit(Exception):
    """An expression fails on a payload. The text has nothing of the payload."""


class _Functions(Functions):  # type: ignore[misc] # jmespath has no types
    """JMESPath's functions and ours; jmespath finds them by their names."""

    @signature({"types": ["number", "string"]}, {"types": ["string", "number"]})  # type: ignore[untyped-decorator]
    def _func_amount(self, value: float | str, currency: str | float) -> str:
        return amount(value, currency)


class _SigningFunctions(_Functions):
    def __init__(self, digest: Digest) -> None:
        self._digest = digest

    @signature({"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_hmac(self, text: str) -> str:
        return self._digest(text)


def check(expression: str, *, signing: bool = False) -> None:
    """Raises `NotAnExpression`. `signing`: whether `hmac(text)` may be called."""
    try:
        parsed = _compiled(expression).parsed
    except JMESPathError as error:
        raise NotAnExpression(" ".join(str(error).split())) from None
    table = (_SigningFunctions if signing else _Functions).FUNCTION_TABLE
    _check_calls(parsed, table)


def search(expression: str, value: Mapping[str, Any], digest: Digest | None = None) -> Any:  # noqa: ANN401 - JSON
    """Result of an expression. Raises `DoesNotFit`."""
    functions = _SigningFunctions(digest) if digest else _Functions()
    options = jmespath.Options(custom_functions=functions)
    try:
        return _compiled(expression).search(value, options=options)
    except JMESPathTypeError as error:
        raise DoesNotFit(
            f"{error.function_name}() got a value of the type {error.actual_type}"
        ) from None
    except NotAnAmount as error:
        raise DoesNotFit(str(error)) from None
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError):
        raise DoesNotFit("a function got a value that it does not take") from None


def encoded(digest: bytes, encoding: str) -> str:
    """A digest as a source writes it: `hex`, `base64` or `base64url` (without padding)."""
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def digest_with(key: str, algorithm: str, encoding: str) -> Digest:
    """The function behind `hmac(text)`, for a source's key."""
    return lambda text: encoded(hmac.digest(key.encode(), text.encode(), algorithm), encoding)


@config.cached(lasting=True, most=200)
def _compiled(expression: str) -> Any:  # noqa: ANN401 - jmespath has no types
    return jmespath.compile(expression)


def _check_calls(node: Mapping[str, Any], table: Mapping[str, Any]) -> None:
    """Checks names and numbers of arguments, which jmespath does only when it calls."""
    children = [each for each in node.get("children", ()) if isinstance(each, dict)]
    if node["type"] == "function_expression":
        name = node["value"]
        if name not in table:
            raise NotAnExpression(f"there is no function {name}()")
        expected = table[name]["signature"]
        variadic = bool(expected) and expected[-1].get("variadic")
        if len(children) != len(expected) and not (variadic and len(children) >= len(expected)):
            raise NotAnExpression(f"{name}() takes {len(expected)} arguments")
    for child in children:
        _check_calls(child, table)
