"""The one retry loop around transactions: it retries conflicts and nothing else."""

import pytest

from functions.core.aws.transactions import TRIES, Interrupted, TooBusy, repeat
from functions.core.errors import Unavailable


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Longest possible pauses, noted instead of waited."""
    seen: list[float] = []
    monkeypatch.setattr(
        "functions.core.aws.transactions.random.uniform", lambda _, longest: longest
    )
    monkeypatch.setattr("functions.core.aws.transactions.time.sleep", seen.append)
    return seen


def interrupted(*tries: int) -> list[int]:
    """Runs a loop in which the tries with these numbers conflict; returns all tries' numbers."""
    made: list[int] = []

    def attempt(number: int) -> str:
        made.append(number)
        if number in tries:
            raise Interrupted(["", "TransactionConflict"])
        return "written"

    assert repeat(attempt) == "written"
    return made


def test_a_try_without_a_conflict_is_the_only_one(pauses: list[float]) -> None:
    assert interrupted() == [0]
    assert pauses == []


def test_pauses_between_tries_grow(pauses: list[float]) -> None:
    assert interrupted(0, 1, 2) == [0, 1, 2, 3]
    assert pauses == [0.025, 0.05, 0.1]


def test_a_transaction_that_conflicts_each_time_ends_without_a_last_pause(
    pauses: list[float],
) -> None:
    with pytest.raises(TooBusy) as caught:
        interrupted(*range(TRIES))
    assert isinstance(caught.value, Unavailable)
    assert str(caught.value.__cause__) == "TransactionConflict"
    assert len(pauses) == TRIES - 1, "no pause after the last try"


def test_any_other_error_ends_it(pauses: list[float]) -> None:
    def attempt(_number: int) -> None:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        repeat(attempt)
    assert pauses == []
