"""Deploys template.yaml into the emulator, and checks what CREATE_COMPLETE does not prove."""

import base64
import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from infra import sam
from infra.local import mark, transform
from infra.local.debugging.patience import PATIENCE_SECONDS, with_patience
from infra.local.emulator import Emulator
from infra.local.errors import LocalStackError
from infra.local.references import refuse_dangling

STACK = "local"
_BUCKET = "local-artifacts"
_DEPLOY_SECONDS = 120
_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
Translate = Callable[[dict[str, Any], dict[str, str], str], dict[str, Any]]


class Deployment(NamedTuple):
    """A deployed stack."""

    emulator: Emulator
    outputs: dict[str, str]
    origins: Sequence[str] = ()
    """AllowedOrigins, as the API has them."""
    api_seconds: float = 60
    """Longest wait for an answer of the API."""

    @property
    def api_url(self) -> str:
        """URL at which the emulator serves the API."""
        return f"{self.emulator.url}/_aws/execute-api/{self.outputs['ApiId']}/$default"

    def functions(self) -> list[str]:
        """Names of the stack's functions."""
        return list(self.logical_ids())

    def logical_ids(self) -> dict[str, str]:
        """Logical ids in template.yaml by function name."""
        rows = _resources(self.emulator, "AWS::Lambda::Function")
        return {row["PhysicalResourceId"]: row["LogicalResourceId"] for row in rows}

    def configurations(self) -> dict[str, dict[str, Any]]:
        """Configurations (handler, role, environment) by function name."""
        pages = self.emulator.client("lambda").get_paginator("list_functions").paginate()
        return {each["FunctionName"]: each for page in pages for each in page["Functions"]}


class _Stack(NamedTuple):
    """A stack whose last change was done."""

    outputs: dict[str, str]
    changed_at: str


def deploy(  # noqa: PLR0913 - all that a deployment depends on
    emulator: Emulator,
    parameters: dict[str, str],
    variables: Mapping[str, str] | None = None,
    held: Callable[[], AbstractContextManager[object]] = nullcontext,
    generated: Mapping[str, bytes] | None = None,
    *,
    patient: bool = False,
    translate: Translate = sam.translate,
) -> Deployment:
    """Creates or updates the stack.

    Args:
        emulator: target of the deployment.
        parameters: of the stack.
        variables: added to the environment of every function.
        held: surrounds the change itself, as the emulator kills calls that are under way then.
        generated: files that ship beside those of functions/, by path in the project.
        patient: whether calls may take long, for somebody at a debugger.
        translate: makes the CloudFormation template, as `sam.translate` does.

    Raises:
        TemplateError: when template.yaml cannot be read or translated; nothing is changed.
        LocalStackError: when the deployment fails, or differs from the template.
    """
    code = zipped_functions({**read_sources(), **(generated or {})})
    translated = translate(sam.read_template(), parameters, f"s3://{_BUCKET}/{_key(code, 'zip')}")
    refuse_dangling(translated, sam.TEMPLATE.read_text())
    template = transform.for_emulator(translated, variables)
    if patient:
        template = with_patience(template)
    wanted = mark.digest(template, parameters)
    with held():
        stack = _stack(emulator)
        origins = mark.origins(emulator, wanted, stack.changed_at) if stack else None
        if stack is None or origins is None:
            mark.forget(emulator)
            stack, origins = _change(emulator, template, parameters, code)
            mark.remember(emulator, wanted, stack.changed_at, origins)
        _replace_reloaded_code(emulator, code)
    deployment = Deployment(emulator, stack.outputs, origins)
    return deployment._replace(api_seconds=PATIENCE_SECONDS) if patient else deployment


def update_code(deployment: Deployment, code: bytes, functions: Iterable[str]) -> None:
    """Updates the code of functions in a running stack."""
    for name in functions:
        deployment.emulator.client("lambda").update_function_code(FunctionName=name, ZipFile=code)


def zipped_functions(sources: Mapping[str, bytes] | None = None) -> bytes:
    """Zip of functions/ without dependencies, which the virtual environment has.

    Args:
        sources: contents by path in the project; by default those of the files.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in (read_sources() if sources is None else sources).items():
            # A fixed time, so that equal code makes equal zips.
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def read_sources(project: Path = sam.ROOT) -> dict[str, bytes]:
    """Contents of the files of functions/, by path in the project."""
    found = {}
    for path in source_files(project):
        with suppress(FileNotFoundError):  # a temporary file of an editor
            found[path.relative_to(project).as_posix()] = path.read_bytes()
    return found


def source_files(project: Path = sam.ROOT) -> list[Path]:
    """Files of functions/ that ship, without those of editors and the system."""
    found: list[str] = []
    for folder, folders, names in os.walk(project / "functions"):  # each half second, so no rglob
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [os.path.join(folder, name) for name in names if _ships(name)]  # noqa: PTH118
    return [Path(path) for path in sorted(found)]


def _ships(name: str) -> bool:
    return not name.startswith(".") and not name.endswith("~")


def _change(
    emulator: Emulator, template: dict[str, Any], parameters: dict[str, str], code: bytes
) -> tuple[_Stack, list[str]]:
    """Creates or updates the stack, and checks it; returns it with the allowed origins."""
    emulator.client("s3").create_bucket(Bucket=_BUCKET)
    _put(emulator, code, "zip")
    _apply(emulator, template, parameters)
    stack = _stack(emulator) or _Stack({}, "")
    _enable_ttl(emulator, template)
    emulator.client("sesv2").create_email_identity(EmailIdentity=parameters["EmailFrom"])
    return stack, _assert_deployed(emulator, template, stack.outputs)


def _put(emulator: Emulator, content: bytes, kind: str) -> str:
    """Uploads an artifact; returns its key."""
    key = _key(content, kind)
    emulator.client("s3").put_object(Bucket=_BUCKET, Key=key, Body=content)
    return key


def _key(content: bytes, kind: str) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.{kind}"


def _apply(emulator: Emulator, template: dict[str, Any], parameters: dict[str, str]) -> None:
    cloudformation = emulator.client("cloudformation")
    exists = any(row["StackName"] == STACK for row in cloudformation.describe_stacks()["Stacks"])
    change = cloudformation.update_stack if exists else cloudformation.create_stack
    pairs = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    key = _put(emulator, json.dumps(template).encode(), "json")
    try:
        change(
            StackName=STACK,
            TemplateURL=f"{emulator.url}/{_BUCKET}/{key}",
            Parameters=pairs,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return
        raise LocalStackError(f"The emulator refuses the template: {error}") from error
    _wait(emulator)


def _replace_reloaded_code(emulator: Emulator, code: bytes) -> None:
    """Updates functions whose code is not the template's.

    A reload changes code without the stack. If that change is undone while nothing runs, the
    template is the one that was deployed, and the stack would keep the reloaded code.
    """
    digest = base64.b64encode(hashlib.sha256(code).digest()).decode()
    deployment = Deployment(emulator, {})
    configurations = deployment.configurations()
    update_code(
        deployment,
        code,
        [name for name in deployment.functions() if configurations[name]["CodeSha256"] != digest],
    )


def _wait(emulator: Emulator) -> None:
    cloudformation = emulator.client("cloudformation")
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while time.monotonic() < deadline:
        status = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        if status in _DONE:
            return
        if not status.endswith("IN_PROGRESS") or "ROLLBACK" in status:
            break
        time.sleep(0.1)
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in events
    ]
    failed = [
        reason
        for reason, event in zip(reasons, events, strict=True)
        if "FAILED" in event["ResourceStatus"]
    ]
    message = (
        "The deployment failed. "
        + "; ".join(failed or [status])
        + ". Correct template.yaml, or start afresh: make clean."
    )
    raise LocalStackError(message)


def _stack(emulator: Emulator) -> _Stack | None:
    """The stack; none if it is not there, or its last change has failed."""
    for stack in emulator.client("cloudformation").describe_stacks()["Stacks"]:
        if stack["StackName"] == STACK and stack["StackStatus"] in _DONE:
            outputs = {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}
            return _Stack(outputs, stack["LastUpdatedTime"].isoformat())
    return None


def _resources(emulator: Emulator, kind: str) -> list[dict[str, Any]]:
    rows = emulator.client("cloudformation").describe_stack_resources(StackName=STACK)[
        "StackResources"
    ]
    return [row for row in rows if row["ResourceType"] == kind]


def _enable_ttl(emulator: Emulator, template: dict[str, Any]) -> None:
    names = {
        row["LogicalResourceId"]: row["PhysicalResourceId"]
        for row in _resources(emulator, "AWS::DynamoDB::Table")
    }
    dynamodb = emulator.client("dynamodb")
    for logical_id, attribute in transform.ttl_attributes(template).items():
        about = {"AttributeName": attribute, "Enabled": True}
        if (
            dynamodb.describe_time_to_live(TableName=names[logical_id])["TimeToLiveDescription"][
                "TimeToLiveStatus"
            ]
            != "ENABLED"
        ):
            dynamodb.update_time_to_live(TableName=names[logical_id], TimeToLiveSpecification=about)


def _assert_deployed(
    emulator: Emulator, template: dict[str, Any], outputs: dict[str, str]
) -> list[str]:
    """Checks routes, CORS and state machine; returns the origins that the API allows."""
    api = emulator.client("apigatewayv2")
    made = {row["RouteKey"] for row in api.get_routes(ApiId=outputs["ApiId"])["Items"]}
    missing = transform.routes(template) - made
    cors = api.get_api(ApiId=outputs["ApiId"]).get("CorsConfiguration")
    if missing or not cors:
        raise LocalStackError(
            f"The emulator made no route for {sorted(missing)}, or no CORS. "
            "Start afresh: make clean."
        )
    machine = emulator.client("stepfunctions").describe_state_machine(
        stateMachineArn=outputs["RunWorkflowArn"]
    )
    if "${" in machine["definition"]:
        raise LocalStackError(
            "The emulator left gaps in the state machine RunWorkflow. Start afresh: make clean."
        )
    return list(cors["AllowOrigins"])
