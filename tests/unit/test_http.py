import pytest

from functions.core.http import prefers


@pytest.mark.parametrize(
    "header",
    [
        "respond-async",
        "Respond-Async",
        "wait=10, respond-async",
        "respond-async, wait=10",
        "respond-async; a=b",
        'respond-async=""',
        'foo="a, b" , respond-async',
        "  ,respond-async,",
    ],
)
def test_a_preference_is_found_among_others_however_it_is_written(header: str) -> None:
    assert prefers({"headers": {"Prefer": header}}, "respond-async")


@pytest.mark.parametrize(
    "header",
    ["", "wait=10", "respond-asynchronously", 'foo="a, respond-async"', "foo; respond-async", "foo=respond-async"],
)
def test_what_only_looks_like_the_preference_is_not_it(header: str) -> None:
    assert not prefers({"headers": {"prefer": header}}, "respond-async")


def test_without_the_header_nothing_is_preferred() -> None:
    assert not prefers({"headers": None}, "respond-async")
