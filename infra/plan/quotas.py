"""Quotas of AWS: defaults of an account in a large region, such as us-east-1.

Numbers were looked up on 2026-11-27 in stored copies of the documents at `source`, but for SMS,
which no copy had. Codes are those of Service Quotas, where a raise is asked for. Those of
Step Functions are of a list of February 2024.
"""

from typing import Literal, NamedTuple

Unit = Literal["a second", "at once", "a day"]

_DOCS = "https://docs.aws.amazon.com"
_DYNAMODB = f"{_DOCS}/amazondynamodb/latest/developerguide/ServiceQuotas.html"
_SCHEDULER = f"{_DOCS}/scheduler/latest/UserGuide/scheduler-quotas.html"
_STEP_FUNCTIONS = f"{_DOCS}/step-functions/latest/dg/service-quotas.html"
_SES = f"{_DOCS}/ses/latest/dg/quotas.html"


class Quota(NamedTuple):
    """A quota of an account and region."""

    service: str
    name: str
    """As Service Quotas calls it, where it knows it."""
    value: float
    unit: Unit
    source: str
    code: str = ""
    raised: str = "by AWS's support"
    """How it is raised, without a code."""

    @property
    def remedy(self) -> str:
        """What to do where it is reached."""
        return f"`{self.code}`" if self.code else self.raised


API = Quota(
    "API Gateway",
    "Throttle rate",
    10_000,
    "a second",
    f"{_DOCS}/apigateway/latest/developerguide/limits.html",
    "L-8A5B8E43",
)
CONCURRENCY = Quota(
    "Lambda",
    "Concurrent executions",
    1_000,
    "at once",
    f"{_DOCS}/lambda/latest/dg/gettingstarted-limits.html",
    "L-B99A9384",
)
CREATE_SCHEDULE = Quota(
    "EventBridge Scheduler",
    "CreateSchedule request rate",
    5_000,
    "a second",
    _SCHEDULER,
    "L-6F4B17DE",
)
SCHEDULE_INVOCATIONS = Quota(
    "EventBridge Scheduler",
    "Invocations throttle limit",
    1_000,
    "a second",
    _SCHEDULER,
    "L-F6D2596E",
)
SCHEDULES = Quota(
    "EventBridge Scheduler", "Number of schedules", 10_000_000, "at once", _SCHEDULER, "L-EE5D6FF0"
)
SES_RATE = Quota("SES", "Sending rate", 14, "a second", _SES, "L-CDEF9B6B")
SES_DAY = Quota("SES", "Sending quota", 50_000, "a day", _SES, "L-804C8AE8")
START_EXECUTION = Quota(
    "Step Functions",
    "StartExecution throttle token refill rate",
    300,
    "a second",
    _STEP_FUNCTIONS,
    "L-1B55A735",
)
TRANSITIONS = Quota(
    "Step Functions",
    "StateTransition throttle token refill rate",
    5_000,
    "a second",
    _STEP_FUNCTIONS,
    "L-AD9B4E93",
)
CHILDREN = Quota("Step Functions", "children of a Map Run", 10_000, "at once", _STEP_FUNCTIONS)
NEW_TABLE = Quota(
    "DynamoDB",
    "writes to a table that is new",
    4_000,
    "a second",
    f"{_DOCS}/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html",
    raised="by itself, to twice the last peak within 30 minutes",
)
TABLE_WRITES = Quota(
    "DynamoDB",
    "Table-level write throughput limit",
    40_000,
    "a second",
    _DYNAMODB,
    "L-AB614373",
)
PARTITION_WRITES = Quota(
    "DynamoDB",
    "write units of a partition",
    1_000,
    "a second",
    f"{_DOCS}/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
    raised="never",
)
PARTITION_READS = PARTITION_WRITES._replace(name="read units of a partition", value=3_000)
S3_READS = Quota(
    "S3",
    "GET requests of a prefix",
    5_500,
    "a second",
    f"{_DOCS}/AmazonS3/latest/userguide/optimizing-performance.html",
    raised="by itself",
)
KMS_ECC = Quota(
    "KMS",
    "Cryptographic operations (ECC) request rate",
    1_000,
    "a second",
    f"{_DOCS}/kms/latest/developerguide/requests-per-second.html",
    "L-DC14942D",
)
SECRETS = Quota(
    "Secrets Manager",
    "DescribeSecret and GetSecretValue",
    10_000,
    "a second",
    f"{_DOCS}/secretsmanager/latest/userguide/reference_limits.html",
    raised="never",
)
SMS = Quota(
    "SNS",
    "SMS messages",
    20,
    "a second",
    f"{_DOCS}/general/latest/gr/sns.html",
)
