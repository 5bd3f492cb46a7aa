"""Message settings, set for one test, and a local server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functions.core import config
from tests.builders.local_servers import Stack, running_stack

SetMessages = Callable[..., None]


@pytest.fixture
def set_messages(monkeypatch: pytest.MonkeyPatch) -> SetMessages:
    """Sets variables of the functions' environment; `app_name` and `email_from` are always set."""

    def change(**variables: object) -> None:
        for name, value in (
            {"app_name": "Our app", "email_from": "no-reply@example.com"} | variables
        ).items():
            monkeypatch.setenv(name.upper(), str(value))
        config.reset()

    change()
    return change


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The local server in front of an emulator that notes what reaches it."""
    with running_stack(tmp_path) as stack:
        yield stack
