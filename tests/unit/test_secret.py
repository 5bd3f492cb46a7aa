import pytest

from functions.core import aws
from functions.core.aws.secrets import MAX_AGE_SECONDS, Secret
from functions.core.errors import Unavailable


class SecretsManager:
    """Answers like the client, from a list; an exception in it is raised."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto's name
        assert SecretId == "arn:secret"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"SecretString": answer}


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


def secret(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], *answers: str | Exception
) -> Secret:
    manager = SecretsManager(*answers)
    monkeypatch.setattr(aws, "client", lambda _, **__: manager)
    return Secret("arn:secret", clock=lambda: clock[0])


def test_a_secret_is_read_once_and_again_after_five_minutes(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    read = secret(monkeypatch, clock, "old", "new")
    assert [read.value(), read.value()] == ["old", "old"]
    clock[0] = MAX_AGE_SECONDS
    assert read.value() == "old"
    clock[0] += 1
    assert read.value() == "new"


def test_while_it_cannot_be_refreshed_the_known_value_is_used(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    read = secret(monkeypatch, clock, "old", Unavailable("down"), "new")
    read.value()
    clock[0] = MAX_AGE_SECONDS + 1
    assert read.value() == "old"
    clock[0] += MAX_AGE_SECONDS + 1
    assert read.value() == "new"


def test_a_secret_that_was_never_read_is_unavailable_and_read_again_at_once(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    read = secret(monkeypatch, clock, Unavailable("down"), "value")
    with pytest.raises(Unavailable):
        read.value()
    assert read.value() == "value"
