"""Imports of each function's init, which every cold start pays for."""

import pytest

from tests.init_imports import imported, recorded
from tests.roles import HANDLERS

BY_NOBODY = (
    "aiohttp",
    "attr",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.parser",
    "boto3",
    "botocore.vendored.requests.packages.urllib3.contrib",
    "cryptography",
    "dns",
    "email_validator",
    "functions.core.aws.errors",
    "functions.core.http.idempotency",
    "functions.core.triggers.respond_async",
    "functions.core.triggers.run_item",
    "functions.core.triggers.validate",
    "functions.core.verification.proof",
    "functions.core.workflow.scheduling",
    "idna",
    "jwt",
    "phonenumbers",
    "pydantic",
    "requests",
    "s3transfer",
    "standardwebhooks",
    "twilio",
    "tzdata",
)
"""Modules that no init imports; what stands below them counts, too."""

BY_FEW = {
    "functions.core.messages": {"CheckAppLocation", "SendEmailTemplate", "VerifySend"},
    "functions.core.outbound_http": {"CheckAppLocation", "DeliverEvent", "UpdateUsersnap"},
    "functions.core.rate_limits": {"SendEmailTemplate", "VerifyDelete", "VerifySend"},
    "functions.core.runs": {"CheckAppLocation", "Events", "Runs", "Schedules", "Webhooks"},
    "functions.core.schedules": {"Runs", "Schedules"},
    "functions.core.signing": {"DeliverEvent", "Documents", "UpdateUsersnap", "Webhooks"},
    "jinja2": {"SendEmailTemplate", "VerifySend"},
}
"""Modules that the init of these functions alone imports."""

ELSEWHERE = {
    "functions.core.deadline": {"Authorize"},
    "functions.core.definition": {"Authorize", "Documents"},
    "functions.core.http": {"Authorize"},
    "functions.core.verification": {"Authorize"},
    "pynamodb": {"CheckAppLocation", "Documents"},
}
"""Modules that most import, and the init of these functions must not."""

GROWTH = 1.05
"""Share of its recorded imports that an init may have."""


@pytest.fixture(scope="module", params=sorted(HANDLERS.keys() & recorded().keys()))
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def forbidden(function: str) -> set[str]:
    few = {module for module, functions in BY_FEW.items() if function not in functions}
    return few.union(BY_NOBODY, *({name} for name, them in ELSEWHERE.items() if function in them))


def test_an_init_imports_nothing_that_only_some_calls_need(function: str) -> None:
    found = {
        module
        for module in forbidden(function)
        for name in imported(function)
        if f"{name}.".startswith(f"{module}.")
    }
    assert found == set()


def test_an_init_imports_hardly_more_than_is_recorded(function: str) -> None:
    """If it must: `.venv/bin/python -m tests.init_imports` records the new numbers."""
    assert len(imported(function)) <= recorded()[function] * GROWTH
