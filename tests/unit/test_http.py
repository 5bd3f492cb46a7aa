from typing import Any

import pytest

from functions.core.http.gateway import document_answer, preferences, prefers
from functions.core.triggers.respond_async import MAX_WAIT_SECONDS, wait_seconds


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
    [
        "",
        "wait=10",
        "respond-asynchronously",
        'foo="a, respond-async"',
        "foo; respond-async",
        "foo=respond-async",
    ],
)
def test_a_similar_preference_does_not_count(header: str) -> None:
    assert not prefers({"headers": {"prefer": header}}, "respond-async")


def test_without_the_header_nothing_is_preferred() -> None:
    assert not prefers({"headers": None}, "respond-async")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("respond-async, wait=10", {"respond-async": "", "wait": "10"}),
        (' Wait = "10" ;x="1, 2", RESPOND-ASYNC;wait=5', {"wait": "10", "respond-async": ""}),
        ("wait=10, wait=5", {"wait": "10"}),
        ('foo="a, wait=3; b", wait=2', {"foo": "a, wait=3; b", "wait": "2"}),
        ('foo="a\\", b", wait=2', {"foo": 'a\\", b', "wait": "2"}),
        ('wait=2, foo="never closed', {"wait": "2", "foo": "never closed"}),
    ],
)
def test_preferences_are_read_by_name_and_the_first_of_a_name_counts(
    header: str, found: dict[str, str]
) -> None:
    assert preferences({"headers": {"Prefer": header}}) == found


def test_a_hostile_header_of_preferences_costs_no_more_than_its_size() -> None:
    assert preferences({"headers": {"prefer": '"\\' * 100_000}})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("10", 10), ("0", 0), ("007", 7), ("100", MAX_WAIT_SECONDS), ("9" * 9, MAX_WAIT_SECONDS)),
        *((bad, 0) for bad in ("", "-1", "1.5", "ten", "1e1", "9" * 10, "１０", "²")),  # noqa: RUF001 - other digits
    ],
)
def test_a_wait_is_a_number_of_seconds_up_to_the_longest_or_ignored(
    value: str, seconds: int
) -> None:
    assert wait_seconds({"wait": value}) == seconds


def served(document: str = "text", if_none_match: str = "") -> dict[str, Any]:
    event = {
        "headers": {"if-none-match": if_none_match},
        "requestContext": {"requestId": "request-1"},
    }
    return document_answer(event, document, "text/plain", max_age=300)


TAG = served()["headers"]["etag"]


@pytest.mark.parametrize("header", [TAG, f"W/{TAG}", f'"other", {TAG}', f'"other",W/{TAG}', "*"])
def test_a_client_that_has_the_document_gets_no_body(header: str) -> None:
    answer = served(if_none_match=header)
    assert (answer["statusCode"], answer["body"]) == (304, "")
    assert answer["headers"] == served()["headers"]


@pytest.mark.parametrize("header", ["", TAG.strip('"'), f'"x{TAG[1:]}', '"other"'])
def test_a_client_that_has_another_document_gets_this_one(header: str) -> None:
    answer = served(if_none_match=header)
    assert (answer["statusCode"], answer["body"]) == (200, "text")


def test_another_text_has_another_tag() -> None:
    assert served("other")["headers"]["etag"] != TAG
