"""Message settings, set for one test."""

from collections.abc import Callable

import pytest

from functions.core import config

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
