"""check_app_location: compares stage, region and URL, and checks the deployment's set-up."""

from typing import Annotated

from msgspec import Meta

from functions.core import config
from functions.core.observability import count
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.workflows.check_app_location import location
from functions.workflows.check_app_location.asking import run_check
from functions.workflows.check_app_location.captcha import captcha
from functions.workflows.check_app_location.concurrency import concurrency
from functions.workflows.check_app_location.email import (
    email_sandbox,
    email_sender,
    link_hosts,
    reply_to_domains,
)
from functions.workflows.check_app_location.events import email_reports, events_url
from functions.workflows.check_app_location.location import Identifier, Url, compared, compared_url
from functions.workflows.check_app_location.sms import sms_providers, sms_sandbox
from functions.workflows.check_app_location.stack import runs, schedules, secrets

_CHECKS = (
    email_sender,
    email_sandbox,
    link_hosts,
    reply_to_domains,
    sms_sandbox,
    sms_providers,
    captcha,
    secrets,
    schedules,
    runs,
    concurrency,
    events_url,
    email_reports,
)
"""All checks. Clients read their names."""
_REQUIRED = frozenset({email_sender, secrets, schedules, runs})
"""Required checks. If one could not be checked, the deployment is not ready."""


class CheckAppLocation(Parameters):
    """Identifiers that the caller expects. Absent ones are not compared."""

    stage: Annotated[str, Meta(max_length=64)] | None = None
    """Stage, such as dev or prod."""
    region: Annotated[str, Meta(max_length=64)] | None = None
    """AWS region."""
    url: Url | None = None
    """URL of the API."""


class Check(Result):
    """Result of one check. `ok` is null if the thing is not used, or could not be checked."""

    name: str
    """Name of the check."""
    ok: bool | None
    """Whether the thing works."""
    detail: str
    """Explanation, and what to do next."""


class AppLocation(Result):
    """Location and readiness of the deployment."""

    matches: bool
    """Whether each given identifier is this deployment's."""
    stage: Identifier
    """Stage of the deployment."""
    region: Identifier
    """AWS region of the deployment."""
    url: Identifier
    """URL of the deployment's API."""
    ready: bool
    """Whether no check is false, and no required check is null."""
    checks: list[Check]
    """All checks."""


def check_app_location(parameters: CheckAppLocation, call: Call) -> AppLocation:
    """Compares stage, region and URL with the deployment's, and checks its set-up.

    Each check says what is still to do. Checks send nothing.
    """
    stage = compared(parameters.stage, config.read(location.LocationSettings).stage)
    region = compared(parameters.region, config.read(location.LocationSettings).aws_region)
    url = compared_url(parameters.url, call.domain)
    matches = all(each.matches is not False for each in (stage, region, url))
    findings = {check: run_check(check) for check in _CHECKS}
    ready = all(
        finding.ok or (finding.ok is None and check not in _REQUIRED)
        for check, finding in findings.items()
    )
    count("LocationChecked", ready="true" if ready else "false")
    checks = [
        Check(name=check.__name__, ok=finding.ok, detail=finding.detail)
        for check, finding in findings.items()
    ]
    return AppLocation(
        matches=matches, stage=stage, region=region, url=url, ready=ready, checks=checks
    )


lambda_handler = workflow(check_app_location, prepare=[location.LocationSettings])
