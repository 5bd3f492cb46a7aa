"""Requests and answers of AWS's Query protocol, of which SNS makes use: forms, answered in XML.

Smithy, "AWS Query protocol".
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import urlencode

CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"

_MAPS = {"MessageAttributes"}
"""Parameters with names of the caller's own, which are listed as entries."""
_VALUE = re.compile(r"<(\w+)>([^<]*)</\1>")


def form(operation: str, version: str, parameters: Mapping[str, Any]) -> bytes:
    """Body of a request. `version`: of the service's API."""
    fields = [("Action", operation), ("Version", version), *_fields(parameters)]
    return urlencode(fields).encode()


def values(answer: bytes) -> dict[str, str]:
    """Values of an answer or an error, which are each in an element of its own.

    Raises `ValueError` where it is neither.
    """
    found = {match[1]: unescape(match[2]) for match in _VALUE.finditer(answer.decode())}
    if "RequestId" not in found:
        raise ValueError("This is no answer of the Query protocol.")
    return found


def _fields(parameters: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        if name in _MAPS:
            for number, (key, each) in enumerate(value.items(), 1):
                entry = f"{prefix}{name}.entry.{number}"
                yield f"{entry}.Name", key
                yield from _fields(each, f"{entry}.Value.")
        else:
            yield f"{prefix}{name}", value
