"""The HTML of every email, checked by html-validate and caniemail.

html-validate knows HTML's rules and accessibility; caniemail knows what mail programs support
(caniemail.com). `make lint-web` installs them; package.json has their versions.
"""

import json
import os
import subprocess
from collections import defaultdict

import pytest

from infra import sam
from tests.builders.emails import LEAVE, LOCALES, NAMES, SAMPLES_LINK_TO, email
from tests.html.installed import MODULES, NODE
from tests.unit.conftest import SetMessages

LAYOUT_TABLES = [
    f'Attribute "{name}" is deprecated on <table> element'
    for name in ("align", "cellpadding", "cellspacing", "width")
]
OUTLOOK = "Outlook for Windows takes it from attributes of tables only"

ALLOWED = dict.fromkeys(LAYOUT_TABLES, OUTLOOK) | {
    # Features without support in some programs, and what their readers see instead.
    "no <body> element": "webmail makes it a div; the table inside has the same background",
    "no <style> element": "Gmail's mobile webmail: light colours, the padding of wide screens",
    "no @media": "as with <style>",
    "no aria-hidden attribute": "display:none hides the preheader from screen readers too",
    "no border-radius": "square corners",
    "no color-scheme CSS property": "dark mode is the program's own",
    "no color-scheme meta tag": "as above",
    "no display:none": "max-height:0 and overflow:hidden hide the preheader there",
    "no max-height property": "mso-hide hides the preheader there",
    "no overflow": "as above; and square corners",
    "no white-space": "codes of 10 characters fit on a line of a phone all the same",
    # Features with partial support, and why these emails use the supported part.
    "only some <body> element": "as above",
    "only some <style> element": (
        "in the head; accounts of other mail services in Gmail's app see the light colours"
    ),
    "only some @media": (
        "max-width and prefers-color-scheme, not nested; without them: light colours, wide padding"
    ),
    "only some background": "only plain colours",
    "only some border": "only border=0 on tables",
    "only some border-radius": "one radius for all corners",
    "only some dir attribute": "it is on blocks and spans, not on links",
    "only some display": "only none, and inline-block where the cell has the padding for Outlook",
    "only some display:none": "the preheader has no table in it; mso-hide does it in Outlook",
    "only some font-size": "px",
    "only some font-weight": "bold, by its name",
    "only some lang attribute": "it is on html and div, not on cells",
    "only some letter-spacing": "px, positive",
    "only some line-height": "px; Outlook makes lines of other scripts higher, which is right",
    "only some mailto: links": "an address and nothing else",
    "only some margin": "positive, on blocks and tables",
    "only some max-width": "on a table, as Outlook wants it; the width of a phone is less anyway",
    "only some overflow": "hidden",
    "only some padding": (
        "on cells; the button's is mso-padding-alt there, the code's box is tighter"
    ),
    "only some role attribute": "on tables",
    "only some text-align": "center",
    "only some text-decoration": "none",
    "only some white-space": "nowrap; without it see above",
    "only some width attribute": "100% on tables",
}
"""Accepted complaints of the checkers about these emails, each with its reason."""


@pytest.fixture(autouse=True)
def _app(set_messages: SetMessages) -> None:
    set_messages(link_hosts=SAMPLES_LINK_TO, support_address="help@example.com")


def check(pages: dict[str, str]) -> dict[str, set[str]]:
    """The checkers' complaints, each with the pages that have it."""
    assert MODULES.exists(), "The checkers are not installed: make lint-web does it."
    command, environment = (
        [str(NODE), str(sam.ROOT / "tests/html/check.cjs")],
        os.environ | {"NODE_PATH": str(MODULES)},
    )
    done = subprocess.run(
        command,
        input=json.dumps(pages),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = defaultdict(set)
    for name, complaints in json.loads(done.stdout).items():
        for complaint in complaints:
            said[complaint["rule"]].add(f"{name}: {complaint['where']}")
    return said


def test_mail_programs_take_the_html_of_every_email() -> None:
    pages = {
        f"{name} {locale}": email(name, locale).html
        for name in [*NAMES, "verification"]
        for locale in LOCALES
    }
    pages["message with an unsubscribe link"] = email("message", "en", unsubscribe_url=LEAVE).html
    pages["verification with a link"] = email("verification", "en", link=LEAVE).html
    said = check(pages)
    assert {rule: where for rule, where in said.items() if rule not in ALLOWED} == {}
    assert set(ALLOWED) - set(said) == set(), "unused exceptions"


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("<p><h1>Hello</h1></p>", "Stray end tag '</p>'"),
        (
            "<table role='presentation'><p>Hello</p></table>",
            "<p> element is not permitted as content under <table>",
        ),
        (
            '<a href="https://example.com"></a>',
            "Anchor link must have a text describing its purpose",
        ),
        ("<div>", "Unclosed element '<div>'"),
        ("<p>&bogus;</p>", 'Unrecognized character reference "&bogus;"'),
        ('<p style="position:absolute">Hello</p>', "no position"),
        ('<div style="display:flex">Hello</div>', "only some display"),
        ("<p><bdi>Hello</bdi></p>", "no <bdi> element"),
    ],
)
def test_the_checkers_see_what_is_wrong(wrong: str, rule: str) -> None:
    head = '<html lang="en"><head><title>Hello</title></head>'
    page = f"<!doctype html>{head}<body>{wrong}</body></html>"
    assert rule in check({"wrong": page})
