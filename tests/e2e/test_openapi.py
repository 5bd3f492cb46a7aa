"""schemathesis over openapi.json: whatever is sent, each answer is one that the document has."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import LocalStack

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
EXAMPLES, FEWEST_CALLS, LONGEST_SECONDS = 370, 10_000, 3000
"""Generated calls of each operation; the fewest in all; the time for them."""


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[LocalStack]:
    """A stack of its own: what is sent reaches limits, and switches Usersnap on."""
    running = LocalStack.start(tmp_path / "openapi")
    yield running
    running.end()


def strict(document: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    """The document with answers that may have no other fields, and with inputs that get further.

    With an example of a key most calls would only tell that the key was used before.
    """
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        schema.setdefault("additionalProperties", False)
    del document["components"]["parameters"]["IdempotencyKey"]["schema"]["examples"]
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                if parameter.get("name") == "source":
                    parameter["schema"] = {"enum": sources}
    return document


@pytest.mark.soak(only=True)
@pytest.mark.timeout(LONGEST_SECONDS)
def test_no_answer_is_undocumented_and_none_is_a_5xx(own_stack: LocalStack, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    known = httpx.get(f"{own_stack.url}/_local/webhooks").json()["sources"]
    sources = [each["source"] for each in known]
    described = httpx.get(f"{own_stack.url}/openapi.json").json()
    document.write_text(json.dumps(strict(described, sources)))
    config = tmp_path / "schemathesis.toml"
    config.write_text(f'[auth.openapi.token]\nbearer = "{own_stack.printed("secret")}"\n')
    command = [
        *(str(Path(sys.executable).with_name("st")), "--config-file", str(config), "run"),
        *(str(document), "--url", own_stack.url, "--checks", ",".join(CHECKS)),
        *("--phases", "examples,fuzzing"),
        *("--max-examples", str(EXAMPLES), "--workers", "8", "--request-timeout", "60"),
        *("--continue-on-failure", "--no-shrink", "--no-color"),
        *("--suppress-health-check", "all"),  # of a slow machine, which generates slowly
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sent = re.search(r"(\d+) generated", done.stdout)
    assert sent, done.stdout
    assert int(sent[1]) >= FEWEST_CALLS, done.stdout
