"""Parameters of template.yaml: how they are spelled, and the values that they can have."""

import math
import re
from typing import Any

from infra.local.errors import LocalStackError


def upper_snake(name: str) -> str:
    """`EmailFrom` as `EMAIL_FROM`, which is what make and the functions' environment call it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


def refuse_wrong(name: str, value: str, declared: dict[str, Any]) -> None:
    """Raises `LocalStackError` for a value that only CloudFormation would refuse."""
    low, high = declared.get("MinValue", -math.inf), declared.get("MaxValue", math.inf)
    if declared["Type"] == "Number" and not (
        value.isascii() and value.isdecimal() and low <= int(value) <= high
    ):
        raise LocalStackError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    pattern, allowed = declared.get("AllowedPattern", ""), declared.get("AllowedValues", [value])
    fits = declared.get("MinLength", 0) <= len(value) <= declared.get("MaxLength", math.inf)
    if (pattern and not re.fullmatch(pattern, value)) or value not in map(str, allowed) or not fits:
        raise LocalStackError(f"{name} cannot be {value!r}. {declared['Description']}")
