from typing import Any

import pytest

from functions.core.http.gateway import document_answer, prefers


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
