"""Every email of the product, filled with its sample, in every locale."""

import json
from html.parser import HTMLParser
from typing import Any

from functions.core.messages.email import Email
from functions.core.messages.rendering import catalog, locales
from functions.core.messages.rendering.render import TEMPLATES
from functions.core.messages.verification import verification_email

NAMES = catalog.names()
LOCALES = sorted(locales.tags().values())
SAMPLES_LINK_TO = "app.example.com"
LEAVE = f"https://{SAMPLES_LINK_TO}/unsubscribe/7f3a"

_VOID = {"meta", "br", "img", "hr", "link"}


def sample(name: str) -> dict[str, Any]:
    """Sample values of a template."""
    values: dict[str, Any] = json.loads((TEMPLATES / name / "sample.json").read_text())
    return values


def email(name: str, locale: str, **values: Any) -> Email:
    """A template filled with its sample; `values` are added or replace it."""
    if name == "verification":
        return verification_email("123456", minutes=10, purpose=None, locale=locale, **values)
    return catalog.find_template(name).email(sample(name) | values, locale)


class Page(HTMLParser):
    """HTML as its reader sees it.

    `blocks` are headings, paragraphs and buttons; `links` are the addresses that links go to.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.elements.append((tag, known))
        if tag not in _VOID:
            self._open.append(tag)
        if tag in {"h1", "p"} or (tag == "a" and "p" not in self._open):
            self.blocks.append("")
        if tag == "a":
            self.links.append(known["href"])

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"h1", "p", "a"} & set(self._open):
            self.blocks[-1] += data
