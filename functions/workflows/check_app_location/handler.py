"""check_app_location: says whether stage, region and URL are this deployment's, and whether it is ready to send."""

from typing import Annotated

from msgspec import Meta

from functions.core import config
from functions.core.observability import count
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.workflows.check_app_location import location
from functions.workflows.check_app_location.asking import found
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
    secrets,
    schedules,
    runs,
    concurrency,
    events_url,
    email_reports,
)
"""Their names are what clients read."""
_NEEDED = frozenset({email_sender, secrets, schedules, runs})
"""Without these nothing works: the deployment is not ready where they could not be asked."""


class CheckAppLocation(Parameters):
    """What the caller takes the deployment for; what is left out is not compared."""

    stage: Annotated[str, Meta(max_length=64)] | None = None
    region: Annotated[str, Meta(max_length=64)] | None = None
    url: Url | None = None


class Check(Result):
    """One thing that the deployment needs. `ok` is null where it is not used, or could not be asked."""

    name: str
    ok: bool | None
    detail: str


class AppLocation(Result):
    """`matches`: each identifier that was given is this deployment's. `ready`: no check is false, none that is needed null."""

    matches: bool
    stage: Identifier
    region: Identifier
    url: Identifier
    ready: bool
    checks: list[Check]


def check_app_location(parameters: CheckAppLocation, call: Call) -> AppLocation:
    """The checks look, and send nothing; each is on its own."""
    stage = compared(parameters.stage, config.read(location.LocationSettings).stage)
    region = compared(parameters.region, config.read(location.LocationSettings).aws_region)
    url = compared_url(parameters.url, call.domain)
    matches = all(each.matches is not False for each in (stage, region, url))
    findings = {check: found(check) for check in _CHECKS}
    ready = all(
        finding.ok or (finding.ok is None and check not in _NEEDED)
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
