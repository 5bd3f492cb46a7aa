"""`make deploy`, before the build: says where it deploys to, or what prevents it."""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra import sam, stack_target
from infra.samconfig import Environment, read_environment, refuse_wrong_parameters

_STUCK = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
"""Statuses in which a stack takes no update."""


class InTheWay(Exception):
    """A deployment is impossible; the message says why and what to do."""


def main() -> int:
    """Prints where the deployment goes; 1 with a sentence if it could not succeed."""
    parser = argparse.ArgumentParser(prog="infra.preflight", description=__doc__)
    parser.add_argument("--env", required=True, help="an environment of samconfig.toml")
    try:
        print(_look(read_environment(parser.parse_args().env)), flush=True)
    except (InTheWay, ValueError, sam.TemplateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _look(environment: Environment) -> str:
    refuse_wrong_parameters(environment, sam.read_template()["Parameters"])
    stack_target.use_profile_and_region(environment)
    try:
        account, region = _account(), boto3.session.Session().region_name
        status = stack_status(environment.stack)
    except (BotoCoreError, ClientError) as error:
        reason = str(error).rstrip(".")
        raise InTheWay(
            f"AWS cannot be asked: {reason}. "
            "Sign in with `aws sso login` or `aws configure`, until "
            "`aws sts get-caller-identity` answers."
        ) from None
    if status in _STUCK:
        delete = f"make delete ENV={environment.name}"
        raise InTheWay(
            f"The stack {environment.stack} is {status} and takes no update. "
            f"Delete it first: {delete}"
        )
    return f"{environment.stack} will be deployed to account {account}, region {region}."


def _account() -> str:
    return str(boto3.client("sts").get_caller_identity()["Account"])


def stack_status(name: str) -> str | None:
    """Status of a stack; null if there is no such stack."""
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return str(found[0]["StackStatus"])


if __name__ == "__main__":
    sys.exit(main())
