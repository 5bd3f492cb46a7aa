"""usersnap.js as a page gets it, and its effect: Node.js runs it in a minimal page."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from functions.api.documents.handler import lambda_handler as documents
from functions.core.integrations import usersnap
from infra import sam
from tests import fakes
from tests.builders import Context
from tests.workflows.conftest import Settings

pytestmark = pytest.mark.usefixtures("cloud")

EVENT = json.loads((sam.ROOT / "tests/events/documents.json").read_text()) | {
    "routeKey": "GET /usersnap.js"
}
KEY = "01234567-89ab-4cde-8f01-23456789abcd"
NODE = Path(sys.executable).parent / "node"

PAGE = """
const given = JSON.parse(process.argv[1]);
const page = {scripts: given.scripts.map((src) => ({src}))};
globalThis.window = globalThis;
globalThis.document = {
  head: {appendChild: (element) => page.scripts.push(element)},
  createElement: (name) => ({name}),
  querySelector: (selector) => {
    const start = /src\\^="(.+)"/.exec(selector)[1];
    return page.scripts.find((each) => each.src.startsWith(start));
  },
  currentScript: given.module ? null : {nonce: given.nonce},
};
if (given.own) window.onUsersnapCXLoad = () => { page.own = true; };
for (let times = 0; times < given.times; times++) (0, eval)(given.code);
const init = () => { page.inits = (page.inits || 0) + 1; };
if (window.onUsersnapCXLoad) window.onUsersnapCXLoad({init, name: "api"});
page.api = window.Usersnap && window.Usersnap.name;
console.log(JSON.stringify(page));
"""


class Page(NamedTuple):
    """State of a page after the widget has loaded."""

    scripts: list[dict[str, Any]]
    inits: int = 0
    api: str | None = None
    own: bool = False


def get(**headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return documents(EVENT | {"headers": names}, Context())


def page(
    *,
    nonce: str = "",
    module: bool = False,
    own: bool = False,
    times: int = 1,
    scripts: tuple[str, ...] = (),
) -> Page:
    given = {
        "code": get()["body"],
        "nonce": nonce,
        "module": module,
        "own": own,
        "times": times,
        "scripts": scripts,
    }
    done = subprocess.run(
        [NODE, "-e", PAGE, json.dumps(given)], capture_output=True, text=True, check=True
    )
    return Page(**json.loads(done.stdout))


@pytest.fixture
def on(cloud: None) -> None:  # noqa: ARG001 - the table is in the cloud
    usersnap.update(enabled=True, space_api_key=KEY)


@pytest.mark.usefixtures("on")
def test_switched_on_it_is_a_script_for_every_page_that_may_be_kept_for_5_minutes() -> None:
    answer = get()
    assert (answer["statusCode"], KEY in answer["body"]) == (200, True)
    assert answer["headers"] == {
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": "public, max-age=300",
        "cross-origin-resource-policy": "cross-origin",
        "etag": answer["headers"]["etag"],
        "x-content-type-options": "nosniff",
        "x-request-id": "JKJaXmPLvHcESHA=",
    }


def test_it_is_empty_until_it_is_switched_on() -> None:
    answer = get()
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert answer["headers"]["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.usefixtures("on")
def test_switched_off_it_is_empty_also_for_who_has_kept_it() -> None:
    tag = get()["headers"]["etag"]
    assert (get(if_none_match=tag)["statusCode"], get(if_none_match=tag)["body"]) == (304, "")
    usersnap.update(enabled=False)
    assert (get(if_none_match=tag)["statusCode"], get(if_none_match=tag)["body"]) == (200, "")
    assert page() == Page(scripts=[])


@pytest.mark.usefixtures("on")
def test_it_loads_the_widget_of_the_space_and_starts_it() -> None:
    source = f"https://widget.usersnap.com/global/load/{KEY}?onload=onUsersnapCXLoad"
    assert page() == Page(
        scripts=[{"name": "script", "async": True, "src": source}], inits=1, api="api"
    )


@pytest.mark.usefixtures("on")
def test_a_nonce_goes_on_to_the_widget() -> None:
    (script,) = page(nonce="r4nd+m/=").scripts
    assert script["nonce"] == "r4nd+m/="
    assert script["src"].endswith("?onload=onUsersnapCXLoad&n=r4nd%2Bm%2F%3D")


@pytest.mark.usefixtures("on")
def test_a_module_script_has_no_nonce_and_works() -> None:
    (script,) = page(module=True).scripts
    assert "nonce" not in script


@pytest.mark.usefixtures("on")
def test_included_twice_it_loads_once() -> None:
    assert len(page(times=2).scripts) == 1


@pytest.mark.usefixtures("on")
def test_a_page_that_loads_the_widget_itself_keeps_its_own() -> None:
    own = f"https://widget.usersnap.com/global/load/{KEY}?onload=mine"
    assert page(scripts=(own,)) == Page(scripts=[{"src": own}])


@pytest.mark.usefixtures("on")
def test_a_page_that_starts_the_widget_itself_does_so() -> None:
    started = page(own=True)
    assert (len(started.scripts), started.own, started.inits, started.api) == (1, True, 0, None)


@pytest.mark.parametrize("stored", [KEY + '";alert(1)//', "</script>", None])
def test_a_stored_value_that_is_no_key_is_never_in_a_script(stored: str | None) -> None:
    usersnap.update(enabled=True, space_api_key=stored)
    answer = get()
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal_error")
    assert answer["headers"]["cache-control"] == "no-store"
    assert not stored or stored not in answer["body"]


def test_a_table_that_cannot_be_read_is_a_503_that_nobody_keeps(settings: Settings) -> None:
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    answer = get()
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
    assert answer["headers"]["cache-control"] == "no-store"
    assert "etag" not in answer["headers"]


@pytest.mark.usefixtures("on")
def test_it_is_read_in_one_request(dynamodb_requests: list[str]) -> None:
    get()
    assert dynamodb_requests == ["GetItem"]


def test_the_other_documents_do_not_pay_for_the_database() -> None:
    """Runs in a process of its own, because this one has already imported everything."""
    code = """
import json, sys
from functions.api.documents.handler import lambda_handler
from tests.builders import Context
answer = lambda_handler(json.load(open("tests/events/documents.json")), Context())
print(answer["statusCode"], "pynamodb" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=sam.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "200 False"
