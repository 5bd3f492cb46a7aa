"""Contrast of email texts in light and in dark mode (WCAG 2.2, 1.4.3: at least 4.5:1).

Colours are computed as a mail program would.
"""

import re
from html.parser import HTMLParser
from typing import NamedTuple

import pytest

from functions.core.messages.rendering.branding import contrast
from tests.builders.emails import LEAVE, NAMES, SAMPLES_LINK_TO, email
from tests.unit.conftest import SetMessages

LEAST = 4.5
_DECLARATION = re.compile(r"(?<![\w-])(color|background-color):\s*(#[0-9a-fA-F]{6})")


class Colors(NamedTuple):
    text: str
    background: str

    def under(self, style: str) -> "Colors":
        """The colours under a further declaration."""
        found = dict(_DECLARATION.findall(style))
        return Colors(found.get("color", self.text), found.get("background-color", self.background))


class Texts(HTMLParser):
    """Each visible text, with its colours.

    `rules` are the overriding style sheet's declarations, by class.
    """

    def __init__(self, html: str, rules: dict[str, str]) -> None:
        super().__init__()
        self.rules = rules
        self.colors = [Colors("#000000", "#ffffff")]
        self.seen: dict[str, Colors] = {}
        self.feed(html.partition("mso-hide:all;")[2].partition("</div>")[2].rpartition("</div>")[0])

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        self.colors.append(
            self.colors[-1]
            .under(about.get("style") or "")
            .under(self.rules.get(about.get("class") or "", ""))
        )

    def handle_endtag(self, _tag: str) -> None:
        self.colors.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.seen[data] = self.colors[-1]


def dark_rules(html: str) -> dict[str, str]:
    found = re.search(r"@media \(prefers-color-scheme: dark\) \{(.*?)\n  \}", html, re.DOTALL)
    assert found
    return dict(re.findall(r"\.(\S+) \{(.*?)\}", found[1]))


@pytest.mark.parametrize("brand", ["#334155", "#ffee00", "#ffffff", "#000000", "#777777"])
@pytest.mark.parametrize("name", [*NAMES, "verification"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_readable(
    scheme: str, name: str, brand: str, set_messages: SetMessages
) -> None:
    set_messages(brand_color=brand, link_hosts=SAMPLES_LINK_TO, support_address="help@example.com")
    links = {"message": {"unsubscribe_url": LEAVE}, "verification": {"link": LEAVE}}
    html = email(name, "en", **links.get(name, {})).html
    texts = Texts(html, dark_rules(html) if scheme == "dark" else {}).seen
    assert {"Our app", "Need help? "} <= set(texts)
    assert {text: colors for text, colors in texts.items() if contrast(*colors) < LEAST} == {}


def test_dark_mode_is_dark(set_messages: SetMessages) -> None:
    set_messages(link_hosts=SAMPLES_LINK_TO)
    html = email("invitation", "en").html
    light, dark = (Texts(html, rules).seen for rules in ({}, dark_rules(html)))
    (sentence,) = [text for text in light if text.startswith("You can accept")]
    assert contrast(light[sentence].background, "#ffffff") < 1.2
    assert contrast(dark[sentence].background, "#ffffff") > 10
