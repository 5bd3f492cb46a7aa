"""Faults, by causing them: a handler in this process works on the emulator's tables through a network that breaks."""

import json
from collections.abc import Iterator

import pytest

from functions.core import aws, table
from functions.core.verification import codes, record, settings
from functions.core.verification.record import Verification
from tests import fakes
from tests.e2e.conftest import LocalStack

CACHED = [aws.client, aws.session, table.connection, codes._secret, settings.settings]


@pytest.fixture
def lossy(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DynamoDB does what it is asked, but its first answer is lost on the way."""
    with fakes.server(fakes.loses_first_answers(stack.running.emulator_url, 1)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        for cached in CACHED:
            cached.cache_clear()
        yield
    monkeypatch.undo()
    for cached in CACHED:
        cached.cache_clear()


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
    """So that the tests above prove the roles of template.yaml too: verify_delete without its read."""
    client = stack.emulator.client("lambda")
    role = client.get_function_configuration(FunctionName="local-wf-verify_delete")["Role"].rpartition("/")[2]
    iam = stack.emulator.client("iam")
    document = iam.get_role_policy(RoleName=role, PolicyName="verify_delete")["PolicyDocument"]
    denied = json.loads(json.dumps(document).replace("dynamodb:BatchGetItem", "dynamodb:GetItem"))
    event = json.dumps({"door": "direct", "parameters": {"verification_id": "k1.x"}})
    try:
        iam.put_role_policy(RoleName=role, PolicyName="verify_delete", PolicyDocument=json.dumps(denied))
        answer = json.load(client.invoke(FunctionName="local-wf-verify_delete", Payload=event)["Payload"])
        assert answer["problem"]["code"] == "internal_error"
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="verify_delete", PolicyDocument=json.dumps(document))
    answer = json.load(client.invoke(FunctionName="local-wf-verify_delete", Payload=event)["Payload"])
    assert answer["result"] == {"verification_id": "k1.x", "deleted": False}
