"""Accessibility of a page: axe's serious and critical rules, in light and in dark."""

import sys
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

_AXE = Path(sys.prefix) / "browser/node_modules/axe-core/axe.min.js"
_GRAVE = {"serious", "critical"}
_RUN = "() => axe.run(document, {iframes: false, resultTypes: ['violations']})"
"""Without frames: in them is the HTML of emails, which tests of its own check."""


def axe(page: Page) -> None:
    """Asserts that axe finds nothing serious or critical in either colour scheme."""
    found: list[str] = []
    page.evaluate(_AXE.read_text())
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {each}" for each in _violations(page.evaluate(_RUN))]
    page.emulate_media(color_scheme="light")
    assert not found, "\n".join(found)


def _violations(results: dict[str, Any]) -> list[str]:
    return [
        f"{rule['id']} ({rule['impact']}) at {node['target']}: {node['failureSummary']}"
        for rule in results["violations"]
        if rule["impact"] in _GRAVE
        for node in rule["nodes"]
    ]


def assert_fits(page: Page) -> None:
    """Asserts that nothing makes the page wider than its window."""
    wide, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window, f"{page.url} is {wide} px wide in a window of {window}"
