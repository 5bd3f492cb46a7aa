"""Which module may know which: read from the imports, not from what a run happens to touch."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import sam

FILES = sorted((sam.ROOT / "functions").rglob("*.py"))
VENDORS = {
    # A vendor's SDK is touched where this project wraps it, and nowhere else.
    "boto3": set[str](),
    "twilio": {"core/messages/providers/twilio_client.py", "api/webhooks/schemes/twilio.py"},
    "requests": {"core/messages/providers/twilio_client.py"},
    "cryptography": {"api/webhooks/certificates.py"},
    "standardwebhooks": {"api/webhooks/schemes/standard.py", "core/events/delivery.py"},
    "urllib3": {"core/messages/providers/twilio_client.py", "api/webhooks/download.py"},
    "certifi": {"api/webhooks/download.py", "core/outbound/post.py"},
    "jwt": set[str](),
    "jmespath": {"api/webhooks/sources.py"},
    "botocore": {
        "api/webhooks/settings.py",
        "core/aws.py",
        "core/invoke.py",
        "core/objects.py",
        "core/table.py",
        "core/scheduler.py",
        "core/signing.py",
        "core/messages/",
        "core/runs/",
        "core/runs/uploads.py",
        "workflows/check_app_location/asking.py",
        "workflows/check_app_location/stack.py",
        "workflows/record_registration/registration_token.py",
    },
    "pynamodb": {
        "core/table.py",
        "core/tokens.py",
        "core/limits.py",
        "core/verification/",
        "core/runs/outcomes.py",
        "core/usersnap.py",
    },
    "aws_lambda_powertools": {"core/log.py", "core/idempotency.py"},
    "jinja2": {"core/messages/render.py"},
    "markupsafe": {"core/messages/render.py"},
    "phonenumbers": {"core/verification/destinations.py"},
    "email_validator": {"core/email_address.py"},
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports read differently in tests and in Lambda"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(path: Path) -> str:
    return path.relative_to(sam.ROOT / "functions").as_posix()


@pytest.mark.parametrize("path", FILES, ids=place)
def test_core_knows_no_workflow_and_workflows_do_not_know_each_other(path: Path) -> None:
    here = place(path)
    own = ".".join(["functions", *Path(here).parts[:2]])
    for name in imports(path):
        if name.startswith(("functions.workflows", "functions.api")):
            assert not here.startswith("core/"), f"{here} imports {name}"
            assert name.startswith(own), f"{here} imports {name}"
        assert not name.startswith(("infra", "tests")), f"{here} imports {name}, which does not ship"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_a_vendors_sdk_is_touched_where_it_is_wrapped(path: Path) -> None:
    for name in imports(path):
        allowed = VENDORS.get(name.partition(".")[0])
        if allowed is not None:
            assert any(place(path).startswith(each) for each in allowed), f"{place(path)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_only_settings_read_the_environment(path: Path) -> None:
    reads = "os.environ" in path.read_text() or "getenv" in path.read_text()
    assert not reads or place(path) == "core/settings.py"
