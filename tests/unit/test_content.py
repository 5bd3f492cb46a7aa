import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core import config
from functions.core.messages.rendering.content import Line, Link, Paragraph
from functions.core.messages.settings import MessageSettings
from functions.core.parameters import NotValid
from infra import sam
from tests.unit.conftest import SetMessages

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.fixture(autouse=True)
def _hosts(set_messages: SetMessages) -> None:
    set_messages(link_hosts="app.example.com,*.shop.example", reply_to_domains="example.com")


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com",
        "https://APP.example.com/",
        "https://app.example.com:443/a?b=c&d=%20#e",
        "https://eu.shop.example/x",
        "https://app.example.com?next=https%3A%2F%2Fevil.example",
    ],
)
def test_a_link_goes_to_a_configured_host(url: str) -> None:
    assert Link.read(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com",
        "http://app.example.com",
        "//app.example.com",
        "javascript:alert(1)",
        "https://evil.example",
        "https://shop.example",
        "https://evilshop.example",
        "https://app.example.com.evil.example",
        "https://evil.com..shop.example",
        "https://evil.com.-.shop.example",
        "https://evil.com-.shop.example",
        "https://app.example.com@evil.example",
        "https://evil.example\\@app.example.com",
        "https://app.example.com:8080/",
        "https://app.example.com\\evil",
        "https://app.example.com/ x",
        "https://app.example.com/\n",
        'https://app.example.com/"onclick="',
        "https://app.example.com/>",
        "https://app.ex\u0430mple.com/",
        "https://app.example.com/\u017f",
        " https://app.example.com",
        "https://app.example.com/" + "x" * 2000,
    ],
)
def test_any_other_link_is_refused(url: str) -> None:
    with pytest.raises(NotValid):
        Link.read(url)


LOCAL = [
    "http://localhost:3000/welcome?a=b#c",
    "http://localhost",
    "http://127.0.0.1:8080/",
    "https://localhost:5173/x",
    "https://localhost/x",
    "HTTP://LOCALHOST:3000/",
    "http://localhost?x=1",
]


@pytest.mark.parametrize("url", LOCAL)
def test_on_the_local_stack_a_link_may_go_to_this_machine(
    url: str, set_messages: SetMessages
) -> None:
    set_messages(link_hosts="", local_links="true")
    assert Link.read(url) == url
    assert Paragraph.read(f"Look at {url} now") == f"Look at {url} now"


def test_a_host_that_is_called_localhost_opens_neither_http_nor_ports(
    set_messages: SetMessages,
) -> None:
    set_messages(link_hosts="localhost")
    with pytest.raises(NotValid):
        Link.read("http://localhost:3000/")


@pytest.mark.parametrize("url", LOCAL)
def test_a_deployment_refuses_links_to_this_machine(url: str) -> None:
    with pytest.raises(NotValid):
        Link.read(url)
    with pytest.raises(NotValid):
        Paragraph.read(f"Look at {url} now")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost.evil.example/",
        "http://localhost:3000.evil.example/",
        "http://localhost@evil.example/",
        "http://localhost:3000@evil.example/",
        "http://localhost:/",
        "http://localhost:0/",
        "http://localhost:123456/",
        "http://a.localhost:3000/",
        "http://127.0.0.1.evil.example/",
        "http://localhost\\evil",
        "http://localhost:3000/ x",
        "http://localhost:3000/\n",
        'http://localhost:3000/"onclick="',
        "http://localhost:3000/>",
        "http://localhost/" + "x" * 2000,
        "http://app.example.com/",
        "https://evil.example/http://localhost:3000/",
        "javascript://localhost:3000/",
        "//localhost:3000/",
    ],
)
def test_no_other_link_comes_with_it(url: str, set_messages: SetMessages) -> None:
    set_messages(link_hosts="app.example.com", local_links="true")
    with pytest.raises(NotValid):
        Link.read(url)


def test_no_deployment_accepts_links_to_its_readers_own_machines() -> None:
    """The template names the variable for the SAM CLI only, without a value.

    Only code that runs on a laptop sets it.
    """
    variable = re.compile("local.?links", re.IGNORECASE)
    named = [
        line.strip() for line in sam.TEMPLATE.read_text().splitlines() if variable.search(line)
    ]
    assert named == ["LOCAL_LINKS: !Ref AWS::NoValue"]
    assert not variable.search((sam.ROOT / "samconfig.toml").read_text())
    setting = {
        path for path in (sam.ROOT / "infra").rglob("*.py") if variable.search(path.read_text())
    }
    assert setting == {sam.ROOT / "infra/local/stack.py", sam.ROOT / "infra/console/__main__.py"}


def test_without_configured_hosts_there_are_no_links(set_messages: SetMessages) -> None:
    set_messages(link_hosts="")
    with pytest.raises(NotValid):
        Link.read("https://app.example.com")


@pytest.mark.parametrize(
    "text",
    [
        "Zoë, 渡辺, محمد and 👩‍👩‍👧",
        "It costs 3.14, e.g. today.",
        "See https://app.example.com/x.",
        "(https://app.example.com)",
        "app.example.com is ours",
        "app.example.com/orders/7.",
        "Write to help@example.com, please",
        "Ana said: see (https://app.example.com/a?b=c&d=%28e%29#f)!",
        "app.example.com?x=1",
        "12:30, re:order, a//b, c:\\d and 1/2",
        "Tel: 030 1234, data: none, and/or www",
        "\u0646\u0627\u0645\u0647\u200c\u0647\u0627 and \U0001f468\u200d\U0001f469",
    ],
)
def test_a_text_stays_as_it_is(text: str) -> None:
    assert Line.read(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Booking.com", "Booking.\u200ccom"),
        ("evil.example/path", "evil.\u200cexample/path"),
        ("a.b.evil.example", "a.b.\u200cevil.\u200cexample"),
        ("me@evil.example", "me@evil.\u200cexample"),
        ("evil\u3002example", "evil\u3002\u200cexample"),
        ("app.example.com.evil.example", "app.\u200cexample.\u200ccom.\u200cevil.\u200cexample"),
        ("<evil.example>", "<evil.\u200cexample>"),
        (
            "evil.example/login@app.example.com",
            "evil.\u200cexample/login@app.\u200cexample.\u200ccom",
        ),
        ("evil.example/?u=ana@example.com", "evil.\u200cexample/?u=ana@example.\u200ccom"),
        ("app.example.com/\xa0evil.example", "app.\u200cexample.\u200ccom/\xa0evil.\u200cexample"),
        ("app.example.com/,evil.example", "app.\u200cexample.\u200ccom/,evil.\u200cexample"),
        (
            "\u0939\u093f\u0928\u094d\u0926\u0940.com",
            "\u0939\u093f\u0928\u094d\u0926\u0940.\u200ccom",
        ),
        ("203.0.113.7/login", "203.\u200c0.\u200c113.\u200c7/login"),
        ("evil.\u200bexample", "evil.\u200c\u200bexample"),
        ("evil\u200b.example", "evil\u200b.\u200cexample"),
        ("evil\uff0eexample", "evil\uff0e\u200cexample"),
        ("evil\ufe52example", "evil\ufe52\u200cexample"),
        (
            "\uff45\uff56\uff49\uff4c.\uff43\uff4f\uff4d",
            "\uff45\uff56\uff49\uff4c.\u200c\uff43\uff4f\uff4d",
        ),
        ("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.\u200cxn--p1ai"),
        ("evil.\u092d\u093e\u0930\u0924", "evil.\u200c\u092d\u093e\u0930\u0924"),
    ],
)
def test_a_name_of_another_host_is_readable_and_no_link(text: str, shown: str) -> None:
    assert Line.read(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://app.example.com",
        "https://evil.example",
        "HTTPS://EVIL.EXAMPLE",
        "x(https://evil.example)",
        "www.evil.example",
        "ftp://evil.example",
        "FTP://evil.example",
        "hTTpS://evil.example",
        "//evil.example/x",
        "x=//evil.example",
        "//localhost",
        "\\\\evil\\share",
        "https:evil.example",
        "mailto:me@evil.example",
        "MailTo:me@evil.example",
        "<mailto:help@example.com>",
        "tel:+14155550123",
        "sms:+14155550123",
        "javascript:alert(1)",
        "data:text/html;base64,PHA+",
        "file:c:/x",
        "https:\u200b//evil.example",
        "htt\u00adps://evil.example",
        "ht\u2060tps:/\ufeff/evil.example",
        "ma\u200bilto:me@evil.example",
        "\uff48ttps\uff1a\uff0f\uff0fevil.example",
        "\uff57\uff57\uff57\uff0eevil.example",
        "www\u3002evil.example",
        "ww\u200bw.evil.example",
        "https://app.example.com,https://evil.example",
        "https://app.example.com/)https://evil.example",
        "https://app.example.com/x(www.evil.example)",
        "https://app.example.com/\u200bhttps://evil.example",
        "https://app.example.com/,me@evil.example",
        "[here](https://app.example.com)",
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "a\u2028b",
        "\ud800",
        "",
        "   ",
        "x" * 201,
        *(f"a{letter}b" for letter in BIDI),
    ],
)
def test_a_text_with_a_strangers_link_or_characters_that_do_not_show_is_refused(text: str) -> None:
    with pytest.raises(NotValid):
        Line.read(text)


def test_a_paragraph_is_longer() -> None:
    assert Paragraph.read("x" * 2000)
    with pytest.raises(NotValid, match="at most 2000"):
        Paragraph.read("x" * 2001)


@settings(deadline=None)  # a slow machine is no failure
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_an_accepted_text_is_one_line_without_links_to_others(text: str) -> None:
    config.read(MessageSettings)
    try:
        read = Line.read(text)
    except NotValid:
        return
    assert len(read.splitlines()) == 1
    assert "://" not in read.replace("https://app.example.com", "")
    assert not set(BIDI) & set(read)


def test_a_sentence_about_what_is_wrong_does_not_repeat_it() -> None:
    with pytest.raises(NotValid) as refused:
        Line.read("https://evil.example")
    assert "evil" not in str(refused.value)
