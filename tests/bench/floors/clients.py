"""The clients of the floors, made from one session in init."""

import os
from functools import cache
from typing import Any

import botocore.session

_session = botocore.session.get_session()
dynamodb: Any = _session.create_client("dynamodb")


@cache
def client(service: str) -> Any:
    """A client of another service, made once."""
    return _session.create_client(service)


def read_secret(name: str) -> str:
    """Text of a secret."""
    found = client("secretsmanager").get_secret_value(SecretId=name)
    return str(found["SecretString"])


def variable(name: str) -> str:
    """Environment variable; empty where another floor imports what needs it."""
    return os.environ.get(name, "")
