"""Faults, by causing them: a handler in this process works on the emulator's tables through a network that breaks."""

import json
from collections.abc import Iterator

import pytest

from functions.core import config
from functions.core.verification import record
from functions.core.verification.record import Verification
from infra.local.deploy import zipped_functions
from tests import fakes
from tests.e2e.conftest import LocalStack


@pytest.fixture
def lossy(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DynamoDB does what it is asked, but its first answer is lost on the way."""
    with fakes.server(fakes.loses_first_answers(stack.running.emulator_url, 1)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        config.reset(everything=True)
        yield
    monkeypatch.undo()
    config.reset(everything=True)


def put(stack: LocalStack, verification_id: str, mac: bytes) -> None:
    item = {
        "verification_id": {"S": verification_id},
        "channel": {"S": "email"},
        "to": {"S": "ana@example.com"},
        "code_mac": {"B": mac},
        "last_mac": {"B": b""},
        "attempts": {"N": "0"},
        "max_attempts": {"N": "5"},
        "created_at": {"N": "0"},
        "expires_at": {"N": "4000000000"},
        "delete_at": {"N": "4000000000"},
    }
    stack.emulator.client("dynamodb").put_item(TableName="local-verifications", Item=item)


@pytest.mark.usefixtures("lossy")
def test_a_right_code_is_valid_although_the_first_answer_was_lost(stack: LocalStack) -> None:
    put(stack, "k1.lost-right", b"right" * 6)
    assert record.check("k1.lost-right", b"right" * 6, now=1).valid is True
    assert Verification.get("k1.lost-right").attempts == 1


@pytest.mark.usefixtures("lossy")
def test_a_wrong_code_is_wrong_although_the_first_answer_was_lost(stack: LocalStack) -> None:
    put(stack, "k1.lost-wrong", b"right" * 6)
    assert record.check("k1.lost-wrong", b"wrong" * 6, now=1).valid is False
    assert 1 <= Verification.get("k1.lost-wrong").attempts <= 2


def test_an_emulator_function_without_a_permission_is_denied(stack: LocalStack) -> None:
    """So that the tests here prove the roles of template.yaml too: verify_delete, and a copy of it without its read."""
    event = json.dumps({"trigger": "direct", "parameters": {"verification_id": "k1.x"}})
    client = stack.emulator.client("lambda")
    answers = {}
    for name in ("local-wf-verify_delete", without_a_permission(stack)):
        answers[name] = json.load(client.invoke(FunctionName=name, Payload=event)["Payload"])
    allowed, denied = answers.values()
    assert allowed["result"] == {"verification_id": "k1.x", "deleted": False}
    assert denied["problem"]["code"] == "internal_error"


def without_a_permission(stack: LocalStack) -> str:
    """The name of a copy of verify_delete whose role may not read."""
    client, iam = stack.emulator.client("lambda"), stack.emulator.client("iam")
    like = client.get_function_configuration(FunctionName="local-wf-verify_delete")
    about = iam.get_role(RoleName=like["Role"].rpartition("/")[2])["Role"]
    policies = iam.list_role_policies(RoleName=about["RoleName"])["PolicyNames"]
    trust = json.dumps(about["AssumeRolePolicyDocument"])
    role = iam.create_role(RoleName="denied", AssumeRolePolicyDocument=trust)["Role"]
    for name in policies:
        policy = iam.get_role_policy(RoleName=about["RoleName"], PolicyName=name)
        denied = json.dumps(policy["PolicyDocument"]).replace("BatchGetItem", "GetItem")
        iam.put_role_policy(RoleName="denied", PolicyName=name, PolicyDocument=denied)
    client.create_function(
        FunctionName="denied",
        Runtime=like["Runtime"],
        Role=role["Arn"],
        Handler=like["Handler"],
        Code={"ZipFile": zipped_functions()},
        Environment={"Variables": like["Environment"]["Variables"]},
        Timeout=like["Timeout"],
    )
    return "denied"
