import pytest

from functions.core import aws
from functions.core.aws.secrets import MAX_AGE_SECONDS, Secret
from functions.core.errors import Unavailable
from tests.clock import Clock


class SecretsManager:
    """Answers like the client, from a list; an exception in the list is raised."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto's name
        assert SecretId == "arn:secret"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"SecretString": answer}


def secret(monkeypatch: pytest.MonkeyPatch, *answers: str | Exception) -> Secret:
    manager = SecretsManager(*answers)
    monkeypatch.setattr(aws, "client", lambda _, **__: manager)
    return Secret("arn:secret")


def test_a_secret_is_read_once_and_again_after_five_minutes(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    read = secret(monkeypatch, "old", "new")
    assert [read.value(), read.value()] == ["old", "old"]
    clock.advance(MAX_AGE_SECONDS - 1)
    assert read.value() == "old"
    clock.advance(1.5)
    assert read.value() == "new"


def test_while_it_cannot_be_refreshed_the_known_value_is_used(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    read = secret(monkeypatch, "old", Unavailable("down"), "new")
    read.value()
    clock.advance(MAX_AGE_SECONDS + 1)
    assert read.value() == "old"
    clock.advance(MAX_AGE_SECONDS + 1)
    assert read.value() == "new"


def test_a_secret_that_was_never_read_is_unavailable_and_read_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = secret(monkeypatch, Unavailable("down"), "value")
    with pytest.raises(Unavailable):
        read.value()
    assert read.value() == "value"
