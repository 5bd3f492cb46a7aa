"""Schedules in tests: calls of the API, events of EventBridge Scheduler, what is left in AWS."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from functions.api.schedules.handler import lambda_handler as handler
from functions.workflows.verify_check.handler import lambda_handler as verify_check
from functions.workflows.verify_delete.handler import lambda_handler as verify_delete
from tests import fakes
from tests.builders import Context, Reply, http_event
from tests.workflows.conftest import Settings, admin

WORKFLOWS = {"verify_delete": verify_delete, "verify_check": verify_check}
SCOPES = ("runs:read", "runs:write", "workflow:verify_delete", "workflow:verify_check")
PARAMETERS = {"verification_id": "k1.AAAAAAAAAAAAAAAAAAAAAA"}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:local-schedules"
NOBODY = "0123456789abcdef"
"""Id of a token that does not exist: enough to make a schedule, not to start its run."""
DUE = "2026-11-22T12:00:00Z"


def _lambdas(request: BaseHTTPRequestHandler, body: bytes) -> None:
    """The Lambda API, with the stack's workflows behind it."""
    workflow = WORKFLOWS.get(request.path.split("/")[3].removeprefix("local-wf-"))
    if workflow is None:
        missing = {"x_amzn_ErrorType": "ResourceNotFoundException"}
        fakes.reply(request, 404, b'{"Type": "User", "Message": "Function not found"}', missing)
    else:
        fakes.reply(request, 200, json.dumps(workflow(json.loads(body), Context())).encode(), {})


@contextmanager
def schedules_of_a_stack(settings: Settings) -> Iterator[None]:
    admin("scheduler").create_schedule_group(Name="schedules")
    with fakes.server(_lambdas) as url:
        settings.set(
            AWS_ENDPOINT_URL_LAMBDA=url,
            WORKFLOW_FUNCTIONS="local-wf-",
            SCHEDULES_FUNCTION=FUNCTION,
            SCHEDULE_GROUP="schedules",
        )
        yield


def ask(
    route: str,
    body: object = None,
    *,
    schedule_id: str = "",
    token_id: str = NOBODY,
    query: dict[str, str] | None = None,
    **options: Any,
) -> Reply:
    event = http_event(body, **({"scopes": SCOPES} | options)) | {
        "routeKey": route,
        "pathParameters": {"schedule_id": schedule_id} if schedule_id else None,
        "queryStringParameters": query,
    }
    event["requestContext"]["authorizer"]["lambda"]["token_id"] = token_id
    answer = handler(event, Context())
    return Reply(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def create(*, token_id: str = NOBODY, key: str | None = None, **wanted: Any) -> Reply:
    about = {"workflow": "verify_delete", "parameters": PARAMETERS} | wanted
    headers = {"idempotency-key": key} if key else {}
    return ask("POST /schedules", about, token_id=token_id, headers=headers)


def created(**wanted: Any) -> str:
    reply = create(**wanted)
    assert reply.status == 201, reply.body
    return str(reply.body["schedule_id"])


def read(schedule_id: str, **options: Any) -> Reply:
    return ask("GET /schedules/{schedule_id}", schedule_id=schedule_id, **options)


def change(schedule_id: str, *, token_id: str = NOBODY, **changes: Any) -> Reply:
    return ask(
        "PATCH /schedules/{schedule_id}", changes, schedule_id=schedule_id, token_id=token_id
    )


def pause(schedule_id: str, *, paused: bool = True, **options: Any) -> Reply:
    return ask(
        "PATCH /schedules/{schedule_id}", {"paused": paused}, schedule_id=schedule_id, **options
    )


def run_now(schedule_id: str, **options: Any) -> Reply:
    return ask("POST /schedules/{schedule_id}/run", schedule_id=schedule_id, **options)


def cancel(schedule_id: str, **options: Any) -> Reply:
    return ask("DELETE /schedules/{schedule_id}", schedule_id=schedule_id, **options)


def listed(**query: str) -> list[str]:
    return [each["schedule_id"] for each in ask("GET /schedules", query=query).body["schedules"]]


def fire(schedule_id: str, scheduled_at: str = DUE, revision: int = 0) -> str | None:
    event = {"trigger": "schedule", "schedule_id": schedule_id, "scheduled_at": scheduled_at}
    run_id: str | None = handler(event | {"revision": revision}, Context())["run_id"]
    return run_id


def fire_entry(schedule_id: str, scheduled_at: str) -> str | None:
    """Fires the entry as EventBridge Scheduler has it."""
    event = json.loads(told(schedule_id)["Target"]["Input"])
    run_id: str | None = handler(event | {"scheduled_at": scheduled_at}, Context())["run_id"]
    return run_id


def told(schedule_id: str) -> dict[str, Any]:
    """EventBridge Scheduler's description of a schedule."""
    about: dict[str, Any] = admin("scheduler").get_schedule(Name=schedule_id, GroupName="schedules")
    return about


def existing() -> list[str]:
    return [
        each["Name"]
        for each in admin("scheduler").list_schedules(GroupName="schedules")["Schedules"]
    ]


def kept() -> list[str]:
    """Keys of the stored definitions."""
    found = admin("s3").list_objects_v2(Bucket="runs", Prefix="schedules/").get("Contents", [])
    return [each["Key"] for each in found]


def runs() -> list[str]:
    """Ids of the started runs."""
    machine = admin("stepfunctions").list_state_machines()["stateMachines"][0]["stateMachineArn"]
    found = admin("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return [each["name"] for each in found]


def input_of(run_id: str) -> dict[str, Any]:
    """Input of a run's execution."""
    machine = admin("stepfunctions").list_state_machines()["stateMachines"][0]["stateMachineArn"]
    arn = f"{machine.replace('stateMachine', 'execution')}:{run_id}"
    found: dict[str, Any] = json.loads(
        admin("stepfunctions").describe_execution(executionArn=arn)["input"]
    )
    return found


def items_of(run_id: str) -> list[dict[str, Any]]:
    """Parameters of a run's items."""
    found = admin("s3").list_objects_v2(Bucket="runs", Prefix=f"runs/{run_id}/")["Contents"]
    bodies = [
        admin("s3").get_object(Bucket="runs", Key=each["Key"])["Body"].read() for each in found
    ]
    return [json.loads(body) for body in bodies]
