"""AWS for single handlers (moto), with what template.yaml declares."""

import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple, cast

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.core.models import RESPONSES_METHODS
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.scheduler.models import scheduler_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends
from moto.stepfunctions.models import stepfunctions_backends

from functions.core import config
from functions.core.aws import clients, dynamodb
from infra import sam
from infra.workflows import workflows
from tests.builders.codes import stands_in
from tests.clock import Clock

__all__ = ["Clock"]

ACCOUNT, REGION = "123456789012", "us-east-1"
KNOWN_TOKENS = ("0123456789abcdef", "a" * 16, "b" * 16)
"""Ids of the tokens behind calls (builders/http.py), runs and items."""
BACKENDS: list[Any] = [
    dynamodb_backends,
    s3_backends,
    scheduler_backends,
    secretsmanager_backends,
    ses_backends,
    stepfunctions_backends,
]

# These hold what `requests` sends to AWS. botocore sends everything here, and moto would make 1,300
# objects for them per test.
RESPONSES_METHODS.clear()


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
        config.reset()
        if any(name.startswith("AWS_ENDPOINT_URL") for name in names):
            _forget_clients()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    before = _endpoints()
    yield Settings(monkeypatch)
    if (now := _endpoints()) != before:
        Settings(monkeypatch).unset(*(now.keys() - before.keys()))
        _forget_clients()


def _forget_clients() -> None:
    """Makes clients anew, which read their URLs when they are made.

    The session may stay, and whatever else is slow to make: no setting changes it.
    """
    for kept in (clients.client, dynamodb.connection):
        cast("Any", kept).cache_clear()


def _endpoints() -> dict[str, str]:
    """URLs of local endpoints.

    A module's URLs stay between its tests, because each new URL needs new clients.
    """
    return {name: url for name, url in os.environ.items() if name.startswith("AWS_ENDPOINT_URL")}


@pytest.fixture
def dynamodb_requests() -> Iterator[list[str]]:
    """Names of the DynamoDB operations that are sent."""
    sent: list[str] = []

    def note(event_name: str, **_: object) -> None:
        sent.append(event_name.rpartition(".")[2])

    events = dynamodb.connection().client.meta.events
    events.register("before-send.dynamodb", note)
    yield sent
    events.unregister("before-send.dynamodb", note)


@pytest.fixture
def cloud(settings: Settings, log: io.StringIO) -> Iterator[None]:
    """An AWS account with what the functions use, and their environment.

    No test may leave a code or token in the log.
    """
    with account(settings):
        yield
        texts = [
            re.sub(r"<style.*?</style>", "", mail.body, flags=re.DOTALL) for mail in sent_emails()
        ]
        texts += [text for _, text in sent_sms()]
        codes = {code for text in texts for code in re.findall(r"(?<![#\w])\d{6,10}(?!\w)", text)}
    written = log.getvalue()
    assert [code for code in codes if stands_in(code, written)] == []
    assert re.findall(r"wf_[A-Za-z0-9_-]{20,}", written) == []


@pytest.fixture
def no_tokens(cloud: None) -> None:  # noqa: ARG001 - its tables
    """An account without tokens, for tests that issue and list their own."""
    for token_id in KNOWN_TOKENS:
        admin("dynamodb").delete_item(TableName="local-tokens", Key={"token_id": {"S": token_id}})


@contextmanager
def account(settings: Settings) -> Iterator[None]:
    """Context manager of the fixture `cloud`, for tests that need an account per example."""
    new = _new_account()
    with mock_aws():
        for backends, region, state in new.backends:
            vars(backends[ACCOUNT][region]).update(deepcopy(state))
        settings.set(**new.variables)
        yield


class Account(NamedTuple):
    """An account before a test: the state of moto's backends, and the functions' environment."""

    backends: list[tuple[Any, str, dict[str, Any]]]
    variables: dict[str, str]


@cache
def _new_account() -> Account:
    """Account made by API calls once per process; copying it takes a fortieth of the time."""
    with mock_aws():
        for table_properties in _tables():
            admin("dynamodb").create_table(**table_properties)
        for token_id in KNOWN_TOKENS:
            admin("dynamodb").put_item(TableName="local-tokens", Item=_token(token_id))
        secrets = {
            "code-keys": json.dumps({"current": "k1", "k1": "a" * 64}),
            "limit-key": "b" * 64,
            "events-key": "c" * 44,
            "usersnap-portal-key": "c" * 44,
            "registration-token": "c" * 48,
        }
        create = admin("secretsmanager").create_secret
        arns = {name: create(Name=name, SecretString=text)["ARN"] for name, text in secrets.items()}
        admin("sesv2").create_email_identity(EmailIdentity="no-reply@example.com")
        admin("scheduler").create_schedule_group(Name="verifications")
        admin("s3").create_bucket(Bucket="runs")
        variables = {
            "APP_NAME": "Our app",
            "EMAIL_FROM": "no-reply@example.com",
            "SMS_COUNTRIES": "*",
            "CODE_KEYS_SECRET": arns["code-keys"],
            "LIMIT_KEY_SECRET": arns["limit-key"],
            "EVENTS_KEY_SECRET": arns["events-key"],
            "USERSNAP_PORTAL_KEY_SECRET": arns["usersnap-portal-key"],
            "REGISTRATION_TOKEN_SECRET": arns["registration-token"],
            "CHECKED_SECRETS": f"{arns['code-keys']},{arns['limit-key']}",
            "STAGE": "dev",
            "RUNS_BUCKET": "runs",
            "RUN_WORKFLOW": _state_machine(),
            "SCHEDULE_GROUP": "verifications",
            "SCHEDULE_ROLE": "arn:aws:iam::123456789012:role/schedules",
            "DEAD_LETTERS": "arn:aws:sqs:us-east-1:123456789012:dead-letters",
            "VERIFY_DELETE_FUNCTION": (
                "arn:aws:lambda:us-east-1:123456789012:function:wf-verify_delete"
            ),
        }
        made = [(each, region) for each in BACKENDS for region in each[ACCOUNT]]
        return Account(
            [(each, region, deepcopy(vars(each[ACCOUNT][region]))) for each, region in made],
            variables,
        )


def _token(token_id: str) -> dict[str, Any]:
    """An active token that may start runs of every workflow, as DynamoDB stores it."""
    scopes = ["runs:write", "workflow:greet", *(f"workflow:{name}" for name in workflows())]
    texts = {name: {"S": "known"} for name in ("token_hash", "name")} | {"kind": {"S": "secret"}}
    return texts | {
        "token_id": {"S": token_id},
        "scopes": {"SS": scopes},
        "created_at": {"N": "1700000000"},
    }


def _state_machine() -> str:
    """ARN of a state machine that does nothing: here runs are started and read, e2e runs them."""
    definition = json.dumps(
        {"StartAt": "End", "States": {"End": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    )
    about = {
        "name": "RunWorkflow",
        "definition": definition,
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/runs",
    }
    return str(admin("stepfunctions").create_state_machine(**about)["stateMachineArn"])


@cache
def admin(service: str) -> Any:
    """Client without restrictions, cached because making one is the slow part of a test."""
    # The endpoints in the environment are those of the functions.
    return boto3.client(service, config=Config(ignore_configured_endpoint_urls=True))


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
    """Emails that SES accepted, oldest first."""
    return list(ses_backends[ACCOUNT][REGION].sent_messages)


def sent_sms() -> list[tuple[str, str]]:
    """Number and text of each message that SNS accepted, oldest first."""
    return [
        (number, text) for number, text, *_ in sns_backends[ACCOUNT][REGION].sms_messages.values()
    ]
