import pytest

from functions.core import errors
from functions.core.http.problems import TABLE, problem


def test_every_error_of_ours_has_a_row_of_its_own() -> None:
    ours = [
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.WorkflowError)
    ]
    assert [
        error for error in ours if error not in TABLE and error is not errors.WorkflowError
    ] == []


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in TABLE.values()]
    assert sorted(codes) == sorted(set(codes))


def test_an_error_that_has_no_row_is_told_by_its_nearest_base() -> None:
    class TableBusy(errors.Unavailable):
        pass

    told = problem(TableBusy("The table is busy.", retry_after=7), "r1")
    assert (told.status, told.code, told.detail, told.retry_after_seconds) == (
        503,
        "unavailable",
        "The table is busy.",
        7,
    )


@pytest.mark.parametrize("error", [ValueError("password=hunter2"), KeyError("hunter2")])
def test_nothing_of_an_unexpected_error_reaches_the_client(error: Exception) -> None:
    told = problem(error, "r1")
    assert (told.status, told.code, told.request_id) == (500, "internal_error", "r1")
    assert "hunter2" not in repr(told)
