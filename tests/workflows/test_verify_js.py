"""verify.js as a page gets it. Node.js runs the tests of its client: verify_client.test.mjs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.api.documents.handler import lambda_handler as documents
from infra import sam
from tests.builders import Context

EVENT = json.loads((sam.ROOT / "tests/events/documents.json").read_text())
FOLDER = sam.ROOT / "functions/api/documents"
NODE = Path(sys.executable).parent / "node"
TYPES = {
    "verify.js": "text/javascript; charset=utf-8",
    "verify-messages.js": "text/javascript; charset=utf-8",
    "verify.d.ts": "text/plain; charset=utf-8",
}
MOST_BYTES = 22_500
"""Size of verify.js that is kept to: API Gateway does not compress."""


def get(name: str, **headers: str) -> Any:
    return documents(EVENT | {"routeKey": f"GET /{name}", "headers": headers}, Context())


@pytest.mark.parametrize("name", TYPES)
def test_each_file_is_for_every_page_and_may_be_kept_for_5_minutes(name: str) -> None:
    answer = get(name)
    assert (answer["statusCode"], answer["body"]) == (200, (FOLDER / name).read_text())
    assert answer["headers"] == {
        "content-type": TYPES[name],
        "cache-control": "public, max-age=300",
        "cross-origin-resource-policy": "cross-origin",
        "etag": answer["headers"]["etag"],
        "x-content-type-options": "nosniff",
        "x-request-id": "JKJaXmPLvHcESHA=",
    }
    again = get(name, **{"if-none-match": answer["headers"]["etag"]})
    assert (again["statusCode"], again["body"]) == (304, "")


def test_the_module_is_small() -> None:
    assert len((FOLDER / "verify.js").read_bytes()) <= MOST_BYTES


@pytest.mark.parametrize("name", ["verify.js", "verify-messages.js"])
def test_it_works_under_a_strict_content_security_policy(name: str) -> None:
    """Neither code nor markup nor styles from strings, and nothing from another host."""
    code = (FOLDER / name).read_text()
    forbidden = ("innerHTML", "eval(", "new Function", 'setAttribute("style', ".style.", "https://")
    assert [each for each in forbidden if each in code] == []


def test_the_client_passes_its_own_tests() -> None:
    tests = Path(__file__).parent / "verify_client.test.mjs"
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", tests], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail 0" in done.stdout
    assert "pass 0" not in done.stdout
