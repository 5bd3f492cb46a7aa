"""What the console knows of the running stack."""

import os
import tomllib
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from functions.core import config
from functions.core.messages.settings import MessageSettings
from infra.console.request_log import RequestLog
from infra.local import development
from infra.local.captured import utc
from infra.local.deploy import Deployment
from infra.local.inbox import Inbox
from infra.sam import ROOT
from infra.settings import FILE


class Stack(Protocol):
    """A running local stack, as the local server has it."""

    deployment: Deployment
    inbox: Inbox
    requests: RequestLog
    started_at: datetime
    settings: Mapping[str, str]
    """Parameters and settings by environment variable, as they were given to make."""

    @property
    def url(self) -> str:
        """URL of the API."""


def about(stack: Stack) -> dict[str, object]:
    """The stack's addresses and tokens."""
    return {
        "url": stack.url,
        "app_name": app_name(stack.settings),
        "stage": "local",
        "tokens": {"secret": development.SECRET, "publishable": development.PUBLISHABLE},
        "emulator_url": stack.deployment.emulator.url,
        "events_url": stack.settings.get("EVENTS_URL", ""),
        "started_at": utc(stack.started_at),
        "root": str(ROOT),
    }


def token_names(stack: Stack) -> dict[str, str]:
    """Names of all tokens, also of revoked ones, by id."""
    table = stack.deployment.outputs["TokensTable"]
    dynamodb = stack.deployment.emulator.client("dynamodb")
    scanned = dynamodb.get_paginator("scan").paginate(TableName=table)
    tokens = [token for page in scanned for token in page["Items"]]
    return {token["token_id"]["S"]: token["name"]["S"] for token in tokens}


def app_name(settings: Mapping[str, str]) -> str:
    """The app's name now; empty while settings.toml has a mistake."""
    variables = {"EMAIL_FROM": "no-reply@example.com", "STAGE": "local", **os.environ, **settings}
    try:
        file = tomllib.loads(FILE.read_text())
        return config.read_from(MessageSettings, variables, file).app_name
    except (OSError, tomllib.TOMLDecodeError, config.SettingsError):
        return ""
