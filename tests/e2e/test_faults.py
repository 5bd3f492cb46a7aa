"""Faults: a function behind a network that loses answers, and a function without a permission."""

import json
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from infra.local.deploy import zipped_functions
from tests import fakes
from tests.builders.parameters import check_parameters, send_parameters
from tests.e2e.conftest import LocalStack


@pytest.fixture
def requests() -> list[bytes]:
    """Requests that the copy of verify_check sent to DynamoDB."""
    return []


@pytest.fixture
def lossy(stack: LocalStack, requests: list[bytes]) -> Iterator[str]:
    """A copy of verify_check behind a network that loses an answer.

    DynamoDB does what the first request asks, but the answer is lost on the way.
    """
    forwarded = fakes.loses_first_answers(stack.running.emulator_url, 1)

    def script(request: BaseHTTPRequestHandler, body: bytes) -> None:
        requests.append(body)
        forwarded(request, body)

    with fakes.server(script) as url:
        yield copy_of(stack, "verify_check", AWS_ENDPOINT_URL_DYNAMODB=url)


@pytest.fixture
def sent(api: httpx.Client, email: str) -> str:
    """A sent verification."""
    answer = api.post("/workflows/verify_send", json=send_parameters(email))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["verification_id"])


def attempts(stack: LocalStack, verification_id: str) -> int:
    return int((stack.verification(verification_id) or {})["attempts"]["N"])


def test_a_right_code_is_valid_although_the_first_answer_was_lost(
    stack: LocalStack, lossy: str, requests: list[bytes], sent: str, email: str
) -> None:
    assert stack.invoke(lossy, **check_parameters(sent, stack.code(email)))["valid"] is True
    assert attempts(stack, sent) == 1
    assert len(requests) > 1, "the request was not sent again"


def test_a_wrong_code_is_wrong_although_the_first_answer_was_lost(
    stack: LocalStack, lossy: str, requests: list[bytes], sent: str, email: str
) -> None:
    wrong = f"{(int(stack.code(email)) + 1) % 1_000_000:06d}"
    assert stack.invoke(lossy, **check_parameters(sent, wrong))["valid"] is False
    assert 1 <= attempts(stack, sent) <= 2
    assert len(requests) > 1, "the request was not sent again"


def test_an_emulator_function_without_a_permission_is_denied(stack: LocalStack) -> None:
    """Proves that the tests here enforce the roles of template.yaml.

    verify_delete may read, and a copy of it without that permission may not.
    """
    parameters = {"verification_id": "k1.x"}
    assert stack.invoke("verify_delete", **parameters) == parameters | {"deleted": False}
    name = copy_of(stack, "verify_delete", role=role_without_reading(stack))
    assert stack.answer(name, **parameters)["problem"]["code"] == "internal_error"


def copy_of(stack: LocalStack, workflow: str, role: str | None = None, **environment: str) -> str:
    """Copies a workflow's function, with another role or more environment; returns its name."""
    client, name = stack.emulator.client("lambda"), f"copy_{uuid.uuid4().hex}"
    like = client.get_function_configuration(FunctionName=f"local-wf-{workflow}")
    client.create_function(
        FunctionName=f"local-wf-{name}",
        Runtime=like["Runtime"],
        Role=role or like["Role"],
        Handler=like["Handler"],
        Code={"ZipFile": zipped_functions()},
        Environment={"Variables": like["Environment"]["Variables"] | environment},
        Timeout=like["Timeout"],
    )
    return name


def role_without_reading(stack: LocalStack) -> str:
    """ARN of a role like verify_delete's, but without permission to read verifications."""
    client, iam = stack.emulator.client("lambda"), stack.emulator.client("iam")
    like = client.get_function_configuration(FunctionName="local-wf-verify_delete")
    about = iam.get_role(RoleName=like["Role"].rpartition("/")[2])["Role"]
    trust, denied = json.dumps(about["AssumeRolePolicyDocument"]), f"denied-{uuid.uuid4().hex}"
    role = iam.create_role(RoleName=denied, AssumeRolePolicyDocument=trust)["Role"]
    for name in iam.list_role_policies(RoleName=about["RoleName"])["PolicyNames"]:
        policy = iam.get_role_policy(RoleName=about["RoleName"], PolicyName=name)
        document = json.dumps(policy["PolicyDocument"])
        document = document.replace("dynamodb:BatchGetItem", "dynamodb:GetItem")
        iam.put_role_policy(RoleName=denied, PolicyName=name, PolicyDocument=document)
    return str(role["Arn"])
