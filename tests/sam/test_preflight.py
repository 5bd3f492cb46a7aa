"""Checks and output of `make deploy` before it builds."""

import sys

import boto3
import pytest
from botocore.exceptions import ClientError

from infra import preflight
from infra.samconfig import read_environment
from tests import fakes

DEV = read_environment("dev")


pytestmark = pytest.mark.usefixtures("signed_in")


def look(monkeypatch: pytest.MonkeyPatch, env: str = "dev") -> int:
    monkeypatch.setattr(sys, "argv", ["preflight", "--env", env])
    return preflight.main()


def test_it_says_which_stack_goes_where_as_samconfig_has_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert look(monkeypatch) == 0
    assert (
        capsys.readouterr().out
        == f"{DEV.stack} will be deployed to account 000000000000, region {DEV.region}.\n"
    )


def test_an_environment_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert look(monkeypatch, "nowhere") == 1
    assert capsys.readouterr().err.startswith(
        "error: samconfig.toml has no environment 'nowhere'. It has: "
    )


def test_who_is_not_signed_in_is_told_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = b"<Error><Code>ExpiredToken</Code><Message>It expired.</Message></Error>"
    refusal = b"<ErrorResponse>" + error + b"</ErrorResponse>"
    with fakes.server(fakes.answers(403, refusal, content_type="text/xml")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        assert look(monkeypatch) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: AWS cannot be asked: An error occurred (ExpiredToken)")
    assert "`aws sts get-caller-identity` answers" in told


def test_a_stack_that_was_never_created_is_to_be_deleted_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(preflight, "stack_status", lambda _: "ROLLBACK_COMPLETE")
    assert look(monkeypatch) == 1
    assert capsys.readouterr().err == (
        f"error: The stack {DEV.stack} is ROLLBACK_COMPLETE and takes no update. "
        "Delete it first: make delete ENV=dev\n"
    )


def test_the_state_of_a_stack_is_known_also_where_there_is_none() -> None:
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName="queue", TemplateBody='{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}'
    )
    assert preflight.stack_status("queue") == "CREATE_COMPLETE"
    assert preflight.stack_status("theirs") is None


def test_a_question_about_a_stack_that_is_refused_is_no_stack_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = b"<Error><Code>AccessDenied</Code><Message>Not you.</Message></Error>"
    refusal = b"<ErrorResponse>" + error + b"</ErrorResponse>"
    with fakes.server(fakes.answers(403, refusal, content_type="text/xml")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        with pytest.raises(ClientError, match="AccessDenied"):
            preflight.stack_status("ours")
