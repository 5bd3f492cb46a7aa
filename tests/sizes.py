"""Sizes of tests with a long form: small in `make test`, large in `make soak`, which sets SOAK."""

import os
from typing import TypeVar

SOAK = bool(os.environ.get("SOAK"))

T = TypeVar("T")


def size(short: T, long: T) -> T:
    """Size of a test marked `soak`: in `make test`, and in `make soak`."""
    return long if SOAK else short
