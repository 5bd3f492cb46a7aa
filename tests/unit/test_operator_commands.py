"""Error messages of operators' commands that cannot do their work."""

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound
from pynamodb.exceptions import ScanError

from functions.core.aws.clients import translated_errors
from functions.core.aws.errors import AwsError
from infra import aws_errors, delete, operate, stack_target, tokens
from infra.logs import __main__ as logs
from infra.logs.line import Source
from infra.workflows import workflows


@pytest.fixture
def signed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials anywhere, and no metadata service that has some."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # the commands set them
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.mark.usefixtures("signed_out")
@pytest.mark.parametrize(
    ("main", "words"),
    [
        (tokens.main, ["list"]),
        (operate.main, ["rotate-keys"]),
        (logs.main, []),
        (delete.main, []),
    ],
)
def test_an_operator_without_credentials_reads_how_to_sign_in(
    main: Callable[[], int],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["command", "--env", "dev", *words])
    assert main() == 1
    sentence = capsys.readouterr().err.removeprefix("error: ")
    assert sentence == (
        "ENV=dev needs valid AWS credentials (Unable to locate credentials). Sign in with `aws sso "
        "login --profile default` or `aws configure --profile default`, or name another profile in "
        "AWS_PROFILE or samconfig.toml, and try again.\n"
    )


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoCredentialsError(), "ENV=prod needs valid AWS credentials (Unable to locate cred"),
        (ProfileNotFound(profile="ops"), "(The config profile (ops) could not be found). Sign in"),
        (refused("ExpiredToken", "It expired."), "aws sso login --profile ops"),
        (refused("ValidationError", "Stack with id x does not exist"), "make deploy ENV=prod"),
        (refused("AccessDenied", "Not allowed."), "(AccessDenied)"),
        (refused("ValidationError", "Bad name."), "Bad name."),
    ],
)
def test_errors_of_aws_say_what_to_do_where_that_is_known(
    error: BotoCoreError | ClientError, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "ops")
    assert sentence in aws_errors.sentence(error, "prod")


def wrapped(error: Exception) -> AwsError:
    with pytest.raises(AwsError) as caught, translated_errors("S3"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        wrapped(refused("ExpiredToken", "It expired.")),
        wrapped(NoCredentialsError()),
        ScanError("Failed to scan table", refused("ExpiredToken", "It expired.")),
    ],
    ids=repr,
)
def test_errors_of_the_code_of_functions_say_the_same(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Namespace) -> str:
        raise error

    monkeypatch.setattr(stack_target, "select_stack", lambda *_: None)
    assert stack_target.run_command(Namespace(env="dev", state="x"), fail) == 1
    assert "ENV=dev needs valid AWS credentials" in capsys.readouterr().err


@pytest.fixture
def issue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """Runs `make token SCOPES=…` on a stack with the workflow `extra`; returns its error."""
    there = [Source("group", name, name) for name in (*workflows(), "extra")]
    monkeypatch.setattr("infra.stack_target.select_stack", lambda *_: None)
    monkeypatch.setattr(tokens, "stack_sources", lambda _: there)

    def run(scopes: str) -> str:
        words = ["--name", "web", "--kind", "neither", "--scopes", scopes]
        monkeypatch.setattr(sys, "argv", ["tokens", "issue", *words])
        assert tokens.main() == 1
        return capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("scopes", "sentence"),
    [
        (
            "workflow:verify_sent",
            "There is no scope workflow:verify_sent. Did you mean workflow:verify_send?",
        ),
        ("workflow:verify_send, run:read", "There is no scope run:read. Did you mean runs:read?"),
        (
            "everything",
            "There is no scope everything. There are: events:write, runs:read, runs:write, work",
        ),
    ],
)
def test_a_scope_that_opens_nothing_is_refused_with_a_suggestion(
    scopes: str, sentence: str, issue: Callable[[str], str]
) -> None:
    assert issue(scopes).startswith(sentence)


@pytest.mark.parametrize("scopes", ["runs:read,runs:write", "workflow:verify_send,workflow:extra"])
def test_scopes_of_the_project_and_of_the_stack_are_accepted(
    scopes: str, issue: Callable[[str], str]
) -> None:
    assert issue(scopes).startswith("The kind is secret or publishable, not 'neither'.")
