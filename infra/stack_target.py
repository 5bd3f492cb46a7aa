"""The stack that an operator's command works on: the local one, or a deployed one."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from functions.core.aws.errors import AwsError
from functions.core.config import SettingsError
from infra import aws_errors
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
"""Variables that code of functions/ reads, and the stack's outputs; older stacks may lack some."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options that choose the stack."""
    parser.add_argument("--env", default="local", help="local, or an environment of samconfig.toml")
    parser.add_argument(
        "--state", type=Path, default=default_state(), help="folder of the local stack's state"
    )


def run_command(arguments: argparse.Namespace, command: Callable[[argparse.Namespace], str]) -> int:
    """Runs a command on the chosen stack and prints its output; 1 with a sentence if it fails."""
    try:
        select_stack(arguments.env, arguments.state)
        if output := command(arguments):
            print(output)
    except (LocalStackError, SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError, AwsError, PynamoDBException) as error:
        print(aws_errors.sentence(error, arguments.env), file=sys.stderr)
        return 1
    return 0


def select_stack(env: str, state: Path) -> None:
    """Points this process at a stack, by environment variables.

    Modules of functions/core read them at import, so they must be imported only afterwards.

    Raises:
        LocalStackError: when the local stack is chosen and not up.
        ValueError: when samconfig.toml has no such environment.
    """
    outputs = _local_outputs(state) if env == "local" else _deployed_outputs(env)
    os.environ.update(
        {variable: outputs[output] for variable, output in _VARIABLES.items() if output in outputs}
    )


def stack_name(env: str) -> str:
    """Name of an environment's stack.

    Raises:
        ValueError: when samconfig.toml has no such environment.
    """
    return STACK if env == "local" else read_environment(env).stack


def use_profile_and_region(environment: Environment) -> None:
    """Sets profile and region as the SAM CLI does: samconfig.toml wins over variables."""
    if environment.region:
        os.environ.update(AWS_REGION=environment.region, AWS_DEFAULT_REGION=environment.region)
    if environment.profile:
        os.environ["AWS_PROFILE"] = environment.profile


def _local_outputs(state: Path) -> dict[str, str]:
    running = read_running(state)
    root = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": running.region,
    }
    os.environ.update(root | {"AWS_ENDPOINT_URL": running.emulator_url})
    os.environ.pop("AWS_SESSION_TOKEN", None)
    return running.outputs


def _deployed_outputs(env: str) -> dict[str, str]:
    environment = read_environment(env)
    use_profile_and_region(environment)
    stack = boto3.client("cloudformation").describe_stacks(StackName=environment.stack)
    return {row["OutputKey"]: row["OutputValue"] for row in stack["Stacks"][0]["Outputs"]}
