"""Subjects: the product, the floors and the peers, each as one Lambda function with one job."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.bench.artifacts import built, installed
from tests.bench.aws.server import AwsStandIn
from tests.bench.jobs.job import JOBS, Job
from tests.bench.jobs.requests import as_payload_1

Kind = Literal["floor", "peer", "ours"]

EMPTY = "peers.empty.lambda_handler"
"""Handler that imports and does nothing."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One function under measurement."""

    label: str
    job: Job
    kind: Kind
    folder: Path
    handler: str

    @property
    def variables(self) -> Mapping[str, str]:
        """Environment, apart from Lambda's own."""
        named = {"POWERTOOLS_METRICS_NAMESPACE": "Bench", "POWERTOOLS_SERVICE_NAME": self.job.name}
        return named | dict(self.job.variables)

    def event(self, aws: AwsStandIn, number: int) -> dict[str, Any]:
        """An event of the job, in the format that the function reads."""
        made = self.job.event(aws, number)
        return as_payload_1(made) if self.handler.startswith("peers.chalice") else made


_PEERS: tuple[tuple[str, Kind, str, str], ...] = (
    ("empty function", "peer", "nothing", "empty"),
    ("plain botocore", "floor", "botocore", "plain_botocore"),
    ("boto3 resource", "peer", "boto3", "boto3_resource"),
    ("Chalice", "peer", "chalice", "chalice_app"),
    ("Powertools + msgspec + PynamoDB, untuned", "peer", "powertools", "powertools_app"),
    ("FastAPI + Mangum", "peer", "fastapi", "fastapi_app"),
)
"""Label, kind, folder of packages and module of those that do the job of verify_check."""


def subjects(only: Iterable[str], python: str) -> list[Subject]:
    """Subjects of the named jobs, of all by default; a job's floor is its first but the empty one.

    Raises:
        NotInstalled
    """
    wanted = set(only) or {job.name for job in JOBS}
    return [subject for job in JOBS if job.name in wanted for subject in _subjects_of(job, python)]


def _subjects_of(job: Job, python: str) -> list[Subject]:
    ours = Subject("this project", job, "ours", built(job.built), job.handler)
    if job.name != "verify_check":
        folder = installed("botocore", python)
        handler = f"floors.{job.name}.lambda_handler"
        return [Subject("plain botocore", job, "floor", folder, handler), ours]
    peers = [
        Subject(label, job, kind, installed(packages, python), f"peers.{module}.lambda_handler")
        for label, kind, packages, module in _PEERS
    ]
    return [*peers, ours]
