"""Jobs that are measured: the function, its environment, its events, and the right answers.

The product and its floor get the same events. What somebody measures elsewhere is compared with
`verify_check`, so its environment has two names only, and its records have no salt.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.bench.aws.server import AwsStandIn
from tests.bench.jobs import events

_VERIFICATIONS = {"VERIFICATIONS_TABLE": "Verifications", "CODE_KEYS_SECRET": "CodeKeys"}
_LIMITS = {"LIMITS_TABLE": "Limits", "LIMIT_KEY_SECRET": "LimitKey"}
_EMAILS = {"EMAIL_FROM": "no-reply@example.com", "EMAIL_CONFIGURATION_SET": "emails"}
_SCHEDULES = {
    "SCHEDULE_GROUP": "verifications",
    "SCHEDULE_ROLE": "arn:aws:iam::000000000000:role/schedules",
    "DEAD_LETTERS": "arn:aws:sqs:us-east-1:000000000000:dead-letters",
    "VERIFY_DELETE_FUNCTION": "arn:aws:lambda:us-east-1:000000000000:function:verify_delete",
}
RUNS = {
    "RUNS_BUCKET": "runs",
    "RUNS_TABLE": "RunRecords",
    "OUTCOMES_TABLE": "Outcomes",
    "IDEMPOTENCY_TABLE": "Idempotency",
    "TOKENS_TABLE": "Tokens",
    "WORKFLOW_FUNCTIONS": "stack-wf-",
    "RUN_WORKFLOW": "arn:aws:states:us-east-1:000000000000:stateMachine:RunWorkflow",
}


class Job(NamedTuple):
    """One piece of work. Each event has a number of its own within its process."""

    name: str
    built: str
    """Folder of the built function in .aws-sam/build."""
    handler: str
    variables: Mapping[str, str]
    event: Callable[[AwsStandIn, int], dict[str, Any]]
    """Makes an event, and stores what it needs."""
    done: Callable[[Any], bool]
    """Whether an answer is the right one."""


def _checked(answer: Any) -> bool:
    return answer["statusCode"] == 200 and json.loads(answer["body"])["valid"] is True


JOBS = (
    Job(
        "verify_check",
        "VerifyCheck",
        "functions.workflows.verify_check.handler.lambda_handler",
        _VERIFICATIONS,
        events.check,
        _checked,
    ),
    Job(
        "authorize",
        "Authorize",
        "functions.api.authorize.handler.lambda_handler",
        {"TOKENS_TABLE": "Tokens"},
        events.authorize,
        lambda answer: answer["isAuthorized"] is True,
    ),
    Job(
        "verify_send",
        "VerifySend",
        "functions.workflows.verify_send.handler.lambda_handler",
        _VERIFICATIONS | _LIMITS | _EMAILS | _SCHEDULES,
        events.send_code,
        lambda answer: answer["statusCode"] == 200 and "verification_id" in answer["body"],
    ),
    Job(
        "send_email_template",
        "SendEmailTemplate",
        "functions.workflows.send_email_template.handler.lambda_handler",
        _LIMITS | _EMAILS,
        events.send_email,
        lambda answer: answer["statusCode"] == 200 and json.loads(answer["body"])["sent"] == 1,
    ),
    Job(
        "run_item",
        "SendEmailTemplate",
        "functions.workflows.send_email_template.handler.lambda_handler",
        _LIMITS | _EMAILS | RUNS,
        events.run_item,
        lambda answer: answer == {"status": "succeeded"},
    ),
    Job(
        "webhooks",
        "Webhooks",
        "functions.api.webhooks.handler.lambda_handler",
        RUNS | {"WEBHOOK_SECRETS": "webhook-"},
        events.webhook,
        lambda answer: answer["statusCode"] == 200 and "run_id" in answer["body"],
    ),
)
