"""Texts that mail programs turn into links: cases of linkify-it and Django, a careless program."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.core.messages.rendering.content import Line, Link
from functions.core.messages.rendering.links import host_of
from functions.core.parameters import NotValid
from tests.unit.conftest import SetMessages

OWN = "https://app.example.com"


@pytest.fixture(autouse=True)
def _hosts(set_messages: SetMessages) -> None:
    set_messages(link_hosts="app.example.com,*.shop.example", reply_to_domains="example.com")


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "/",
        "?",
        "#",
        ":443/",
        "/a/b-c/d_e/f~g/report.pdf",
        "/Orders/1042/",
        "/a+b%20c",
        "/caf%C3%A9_%28wiki%29",
        "/x%22y%27z",
        "?q=1&r=2&empty=&flag",
        "?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl-_x",
        "?signature=YWJj+/ZGVm==",
        "?email=ana%40example.com",
        "?next=https%3A%2F%2Fother.example%2Fpath",
        "?host=www%2Eother.example",
        "?at=52.5200,13.4050",
        "?ids=1,2,3;all",
        "?when=2026-11-27T12:30:00",
        "?$top=5&$skip=10",
        "/items/urn:uuid:6ba7b810",
        "/@ana/posts",
        "/jobs;jsessionid=1F2E",
        "#section-2",
        "#/orders/1042?tab=items",
        "#!/orders/1042",
        "/foo--bar-",
        "/compare/v1.2...v1",
        "/a.",
    ],
)
def test_a_link_that_is_one_link_everywhere_is_accepted(rest: str) -> None:
    assert Link.read(OWN + rest) == OWN + rest
    assert Line.read(f"See {OWN}{rest} now") == f"See {OWN}{rest} now"
    assert links(OWN + rest) <= {"app.example.com"}


@pytest.mark.parametrize(
    "host", ["xn--bcher-kva.shop.example", "a-b.c1.shop.example", "1.shop.example"]
)
def test_a_host_below_an_own_one_is_accepted(host: str) -> None:
    assert host_of(f"https://{host}/x") == host
    assert Link.read(f"https://{host}/x")


SIGNS = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    '"',
    "'",
    "`",
    "|",
    "\\",
    "^",
    " ",
    "\t",
    "\n",
    "\xa0",
    "\u3000",
]
SIGNS += [
    "\u200b",
    "\u00ad",
    "\u3002",
    "\uff0e",
    "\uff5c",
    "\u201d",
    "\u00bb",
    "\u00e9",
    "\ud800",
    "%",
    "%zz",
]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["/a", "?a=", "#a"])
def test_characters_that_may_end_a_link_must_be_percent_encoded(before: str, sign: str) -> None:
    for after in ("", "b", "https://evil.example"):
        with pytest.raises(NotValid, match=r"percent-encoded, such as %28 instead of \("):
            Link.read(OWN + before + sign + after)


@pytest.mark.parametrize(
    "rest",
    [
        "/https://evil.example",
        "?next=https://evil.example",
        "?next=HTTPS://evil.example",
        "#http://evil.example",
        "/a,https://evil.example",
        "//evil.example",
        "/a//evil.example",
        "/www.evil.example",
        "?WWW.evil.example",
        "/mailto:me@evil.example",
        "?u=tel:+14155550123",
        "?u=javascript:alert",
        "?u=data:text/html",
        "?u=https:evil.example",
        "/,evil.example",
        "/;evil.example/login",
        "/!evil.example",
        "/$evil.example",
        "/*evil.example*",
        "/x:evil.example",
        "/@evil.example",
        "?@evil.example",
        "#@evil.example/x",
        "?email=ana@example.com",
        "/,a=evil.example",
        "/,x-evil.xn--p1ai",
        "/,203.0.113.7/login",
        "??evil.example",
        "/..evil.example",
        "/...,evil.example",
        "/&gt;evil.example",
        "/&quot;me@evil.example",
        "/x---evil.example",
    ],
)
def test_a_second_address_in_a_link_is_to_be_percent_encoded(rest: str) -> None:
    with pytest.raises(NotValid, match="percent-encode it, such as %3A%2F%2F"):
        Link.read(OWN + rest)
    with pytest.raises(NotValid, match="percent-encode brackets, quotes and a second address"):
        Line.read(f"See {OWN}{rest}.")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example\u200b.app.example.com/",
        "https://evil.example\\.app.example.com",
        "https://evil.example%2eapp.example.com",
        "https://evil.example_.shop.example",
        "https://app.example.com_.shop.example",
        "https://.shop.example",
        "https://-.shop.example",
        "https://b\u00fccher.shop.example",
        "https://app.example.com.",
        "https://app.example.com:80/",
        "https://ana@app.example.com/",
        "https:/app.example.com",
        "https:app.example.com",
        "//app.example.com",
        "ftp://app.example.com",
        "javascript://app.example.com/%0aalert(1)",
    ],
)
def test_a_host_that_may_be_read_as_another_is_refused(url: str) -> None:
    with pytest.raises(NotValid, match="must be an https URL"):
        Link.read(url)


# --- a linkifier that is more careless than any ---------------------------------------------------

DOT = "[.\u2024\u3002\ufe52\uff0e\uff61]"
ENDS = rf"""[\s<>()\[\]{{}}"'`|\\^,;:!$*@\u201d]|{DOT}{{2}}|\?\?|---"""
LINKED = re.compile(
    rf"(?:(?:https?:|ftp:)/*|//(?=[\w-]+{DOT}\w)|mailto:[^\s@]*@)"
    rf"(?P<host>[\w-]+(?:{DOT}[\w-]+)*)(?::\d+)?(?:(?!{ENDS}).)*"
    rf"|(?P<name>(?:[\w-]+{DOT})+(?:com|example|xn--p1ai)|(?:\d+\.){{3}}\d+)(?![\w-])",
    re.IGNORECASE,
)


def links(text: str) -> set[str]:
    """Hosts of all links that the most careless mail program may find.

    It may end a link at any character, and continues its search in the rest.
    """
    return {(match["host"] or match["name"]).lower() for match in LINKED.finditer(text)}


def test_the_careless_linkifier_finds_what_the_issue_showed() -> None:
    assert links("https://app.example.com/)https://evil.com") == {"app.example.com", "evil.com"}
    assert links("https://app.example.com/,evil.com") == {"app.example.com", "evil.com"}
    assert links("https://app.example.com/files/evil.com") == {"app.example.com"}
    assert links("see evil.com") == {"evil.com"}


SIGNS_OF_URLS = list("/?#&=+~_-.,;:!$*@()[]<>'\"|%")
PIECES = [
    "https://",
    "HTTP://",
    "//",
    "www.",
    "evil.com",
    "evil",
    ".com",
    "me@",
    "mailto:",
    "a",
    "1",
    "x.y",
    OWN,
]
PIECES += [
    "203.0.113.7",
    "%28",
    "%2F",
    "..",
    "??",
    "---",
    "\u3002",
    "\u200b",
    "\xa0",
    " ",
    *SIGNS_OF_URLS,
]


@settings(deadline=None)  # a slow machine is no failure
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example(")https://evil.com")
@example("/..evil.com")
def test_no_program_makes_a_link_to_another_host_of_an_accepted_one(rest: str) -> None:
    try:
        url = Link.read(OWN + rest)
    except NotValid:
        return
    assert links(url) <= {"app.example.com"}


@settings(deadline=None)  # a slow machine is no failure
@given(st.lists(st.sampled_from([*PIECES, OWN + "/x"]), min_size=1, max_size=12).map("".join))
@example(f"{OWN}/)https://evil.com")
@example("evil.commailto:me@evil.com")
def test_no_program_makes_a_link_to_another_host_of_an_accepted_text(text: str) -> None:
    try:
        read = Line.read(text)
    except NotValid:
        return
    assert links(read) <= {"app.example.com"}
