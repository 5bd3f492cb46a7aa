"""AWS for single handlers (moto): tables, secrets, sender identity, schedule group, as template.yaml declares them."""

import importlib
import io
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from functions.api.webhooks import settings as webhooks
from functions.core import aws, invoke, scheduler, signing, table, usersnap_keys
from functions.core import limits as core_limits
from functions.core.events import endpoints, wanted
from functions.core.messages import mailing
from functions.core.messages import settings as messages
from functions.core.messages.providers import settings as providers
from functions.core.messages.providers import twilio_account
from functions.core.outbound import settings as outbound
from functions.core.runs import settings as runs
from functions.core.runs import uploads
from functions.core.verification import codes, destinations, limits, reserved
from functions.core.verification import settings as verification
from infra import sam
from infra.workflows import workflows

ACCOUNT, REGION = "123456789012", "us-east-1"
READ_ONCE = [
    codes._secret,
    destinations.settings,
    core_limits._secret,
    limits.settings,
    messages.settings,
    reserved._codes,
    signing.public_key,
    scheduler.settings,
    verification.proof_settings,
    providers.settings,
    runs.settings,
    invoke.settings,
    uploads.settings,
    twilio_account._secret,
    usersnap_keys._secret,
    usersnap_keys._settings,
    verification.settings,
    wanted.settings,
    endpoints._secret,
    outbound.settings,
    mailing.settings,
    webhooks.settings,
    webhooks._secret,
]
for name in workflows():
    for path in sorted((sam.ROOT / "functions/workflows" / name).glob("[!_]*.py")):
        module = importlib.import_module(f"functions.workflows.{name}.{path.stem}")
        READ_ONCE += [each for each in vars(module).values() if hasattr(each, "cache_clear") and each not in READ_ONCE]
CLIENTS = [aws.client, aws.session, table.connection]


class Settings:
    """The functions' environment; a change takes effect at once, as it would in a new process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def set(self, **variables: object) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, str(value))
        self._forget(variables)

    def unset(self, *names: str) -> None:
        for name in names:
            self._monkeypatch.delenv(name)
        self._forget(names)

    def _forget(self, names: Iterable[str]) -> None:
        clients = CLIENTS if any(name.startswith("AWS_") for name in names) else []
        for cached in [*READ_ONCE, *clients]:
            cached.cache_clear()
        webhooks._unset_until.clear()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    yield Settings(monkeypatch)
    if changed := [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        Settings(monkeypatch).unset(*changed)


class Clock:
    """The wall clock, which a test can put forward."""

    def __init__(self) -> None:
        self._read = time.time
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._read() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


@pytest.fixture
def dynamodb_requests() -> Iterator[list[str]]:
    """Names of the DynamoDB operations that are sent."""
    sent: list[str] = []

    def note(event_name: str, **_: object) -> None:
        sent.append(event_name.rpartition(".")[2])

    events = table.connection().client.meta.events
    events.register("before-send.dynamodb", note)
    yield sent
    events.unregister("before-send.dynamodb", note)


@pytest.fixture
def cloud(settings: Settings, log: io.StringIO) -> Iterator[None]:
    """An AWS account with what the functions use, and their environment. No test may leave a code or token in the log."""
    with account(settings):
        yield
        texts = [re.sub(r"<style.*?</style>", "", mail.body, flags=re.DOTALL) for mail in sent_emails()]
        texts += [text for _, text in sent_sms()]
        codes = {code for text in texts for code in re.findall(r"(?<![#\w])\d{6,10}(?!\w)", text)}
    written = log.getvalue()
    assert [code for code in codes if re.search(rf"(?<![\w.:-]){code}(?![\w.:-])", written)] == []
    assert re.findall(r"wf_[A-Za-z0-9_-]{20,}", written) == []


@contextmanager
def account(settings: Settings) -> Iterator[None]:
    """As the fixture `cloud`, for tests that need an account for each example."""
    with mock_aws():
        for table_properties in _tables():
            admin("dynamodb").create_table(**table_properties)
        secrets = admin("secretsmanager")
        code_keys = secrets.create_secret(Name="code-keys", SecretString=json.dumps({"current": "k1", "k1": "a" * 64}))
        limit_key = secrets.create_secret(Name="limit-key", SecretString="b" * 64)
        events_key = secrets.create_secret(Name="events-key", SecretString="c" * 44)
        portal_key = secrets.create_secret(Name="usersnap-portal-key", SecretString="c" * 44)
        registration_token = secrets.create_secret(Name="registration-token", SecretString="c" * 48)
        admin("sesv2").create_email_identity(EmailIdentity="no-reply@example.com")
        admin("scheduler").create_schedule_group(Name="verifications")
        admin("s3").create_bucket(Bucket="runs")
        settings.set(
            APP_NAME="Our app",
            EMAIL_FROM="no-reply@example.com",
            SMS_COUNTRIES="*",
            CODE_KEYS_SECRET=code_keys["ARN"],
            LIMIT_KEY_SECRET=limit_key["ARN"],
            EVENTS_KEY_SECRET=events_key["ARN"],
            USERSNAP_PORTAL_KEY_SECRET=portal_key["ARN"],
            REGISTRATION_TOKEN_SECRET=registration_token["ARN"],
            CHECKED_SECRETS=f"{code_keys['ARN']},{limit_key['ARN']}",
            STAGE="dev",
            RUNS_BUCKET="runs",
            RUN_WORKFLOW=_state_machine(),
            SCHEDULE_GROUP="verifications",
            SCHEDULE_ROLE="arn:aws:iam::123456789012:role/schedules",
            DEAD_LETTERS="arn:aws:sqs:us-east-1:123456789012:dead-letters",
            VERIFY_DELETE_FUNCTION="arn:aws:lambda:us-east-1:123456789012:function:wf-verify_delete",
        )
        yield


def _state_machine() -> str:
    """ARN of one that does nothing: here runs are started and read, e2e runs them."""
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Wait", "Seconds": 3600, "End": True}}})
    about = {"name": "RunWorkflow", "definition": definition, "roleArn": f"arn:aws:iam::{ACCOUNT}:role/runs"}
    return str(admin("stepfunctions").create_state_machine(**about)["stateMachineArn"])


@cache
def admin(service: str) -> Any:
    """A client that sees everything; made once, because making one is the slow part of a test."""
    return boto3.client(service)


@cache
def _tables() -> list[dict[str, Any]]:
    resources = sam.read_template()["Resources"].values()
    declared = [each["Properties"] for each in resources if each["Type"] == "AWS::DynamoDB::Table"]
    kept = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    name = "TableName"
    return [
        {name: each[name]["Fn::Sub"].replace("${AWS::StackName}", "local")}
        | {key: each[key] for key in kept if key in each}
        for each in declared
    ]


def sent_emails() -> list[Any]:
    """What SES was given, oldest first."""
    return list(ses_backends[ACCOUNT][REGION].sent_messages)


def sent_sms() -> list[tuple[str, str]]:
    """Number and text of what SNS was given, oldest first."""
    return [(number, text) for number, text, *_ in sns_backends[ACCOUNT][REGION].sms_messages.values()]
