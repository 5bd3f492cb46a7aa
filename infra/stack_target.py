"""Which stack an operator's command works on: the local one, or one that is deployed. Both are found through their outputs."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.config import SettingsError
from infra.local.deploy import STACK
from infra.local.errors import LocalStackError
from infra.local.state import default_state, read_running
from infra.samconfig import Environment, read_environment

_VARIABLES = {
    "TOKENS_TABLE": "TokensTable",
    "LIMITS_TABLE": "LimitsTable",
    "LIMIT_KEY_SECRET": "LimitKeySecret",
    "CODE_KEYS_SECRET": "CodeKeysSecret",
    "WEBHOOK_SECRETS": "WebhookSecrets",
    "REGISTRATION_TOKEN_SECRET": "RegistrationTokenSecret",
    "EVENTS_KEY_SECRET": "EventsKeySecret",
    "USERSNAP_PORTAL_KEY_SECRET": "UsersnapPortalKeySecret",
}
"""What the functions' code reads from its environment, and the stack's outputs; an older stack may lack some."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which a command is told where to work."""
    parser.add_argument("--env", default="local", help="local, or an environment of samconfig.toml")
    parser.add_argument(
        "--state", type=Path, default=default_state(), help="folder of the local stack's state"
    )


def run_command(arguments: argparse.Namespace, command: Callable[[argparse.Namespace], str]) -> int:
    """Runs a command on the stack that is meant and prints what it says, if anything; 1 with a sentence when it cannot."""
    try:
        select_stack(arguments.env, arguments.state)
        if told := command(arguments):
            print(told)
    except (LocalStackError, SettingsError, ValueError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def select_stack(env: str, state: Path) -> None:
    """Sets the environment that functions.core reads when it is imported, which must be only after this.

    Raises:
        LocalStackError: when the local stack is meant and not up.
        ValueError: when samconfig.toml has no such environment.
    """
    outputs = _local(state) if env == "local" else _deployed(env)
    os.environ.update(
        {variable: outputs[output] for variable, output in _VARIABLES.items() if output in outputs}
    )


def stack_name(env: str) -> str:
    """Name of the stack that an environment is.

    Raises:
        ValueError: when samconfig.toml has no such environment.
    """
    return STACK if env == "local" else read_environment(env).stack


def _local(state: Path) -> dict[str, str]:
    running = read_running(state)
    root = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": running.region,
    }
    os.environ.update(root | {"AWS_ENDPOINT_URL": running.emulator_url})
    os.environ.pop("AWS_SESSION_TOKEN", None)
    return running.outputs


def use_profile_and_region(environment: Environment) -> None:
    """Lets this process work where an environment is deployed to, as the SAM CLI does: samconfig.toml wins over variables."""
    if environment.region:
        os.environ.update(AWS_REGION=environment.region, AWS_DEFAULT_REGION=environment.region)
    if environment.profile:
        os.environ["AWS_PROFILE"] = environment.profile


def _deployed(env: str) -> dict[str, str]:
    environment = read_environment(env)
    use_profile_and_region(environment)
    stack = boto3.client("cloudformation").describe_stacks(StackName=environment.stack)
    return {row["OutputKey"]: row["OutputValue"] for row in stack["Stacks"][0]["Outputs"]}
