"""Executions of RunWorkflow: a run in Step Functions. Its name is the run's id."""

import hashlib
import re
import secrets
import string
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from functions.core import aws, config
from functions.core.aws import step_functions
from functions.core.errors import NotFound
from functions.core.runs.files import Reference
from functions.core.runs.lineage import TOP, Lineage
from functions.core.runs.settings import RunSettings

Branch = Literal["one", "many", "paced"]

_FORM = r"([a-z][a-z0-9_]{0,52})\.[0-9a-z]{26}"
"""Form of a run's id, within the 80 characters of an execution's name."""
_RUN_ID = re.compile(_FORM)
RunId = Annotated[
    str,
    Meta(pattern=rf"^{_FORM}\Z", examples=["send_email_template.8984d8832ea2c6d95dec2c3e60"]),
]
"""Id of a run, which begins with its workflow."""
_ALPHABET = string.digits + string.ascii_lowercase
_RANDOM_CHARACTERS = 26
"""134 bits."""


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """The input of an execution.

    It refers to items and holds none, because Step Functions keeps it for 90 days.
    """

    run_id: str
    workflow: str
    branch: Branch
    total: int
    token_id: str | None
    origin_run_id: str
    """Id of the items' first run: this run, unless it retries failed items of another."""
    items_key: str
    references_key: str
    reference: Reference
    """Reference to the first item; the only one in the branch `one`."""
    interval_seconds: int
    max_concurrency: int
    items_until: int
    """Time at which S3 deletes the items, seconds since the epoch."""
    delete_at: str
    """Time at which the outcomes expire, seconds since the epoch.

    Text, as DynamoDB's JSON writes numbers.
    """
    lenient: bool = False
    """Whether the items' values are texts, such as CSV cells, to convert to the parameters' types.
    """
    items_digest: str = ""
    """SHA-256 of the file of items, which outlives the file."""
    lineage: Lineage = TOP
    """Runs that led to it."""
    started_by: str | None = None
    """The code that started it: `api` (POST /runs, `Prefer: respond-async`), `schedule`, `events`,
    `webhook:<scheme>:<source>` or `workflow:<name>`. A retry keeps it, whoever asks for that. Null:
    see `started_by_of`.
    """


_BEFORE = {
    "events": "events",
    "webhook:ses": "workflow:track_delivery",
    "webhook:usersnap": "webhook:usersnap:usersnap",
}
"""Origin of the platform's own runs that are older than `started_by`, by their `token_id`.

No token's id has such a form: those are hexadecimal digits.
"""


def started_by_of(started_by: str | None, token_id: str | None) -> str | None:
    """The code that started a run, also an older one; null if it may have been a client."""
    return started_by or _BEFORE.get(token_id or "")


def new_run_id(workflow: str, seed: str | None = None) -> str:
    """A run's id: random, or determined by a seed, such as an idempotency key."""
    if seed is None:
        return f"{workflow}." + "".join(
            secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS)
        )
    return f"{workflow}.{hashlib.sha256(seed.encode()).hexdigest()[:_RANDOM_CHARACTERS]}"


def workflow_of(run_id: str) -> str:
    """The workflow of a run's id, for scopes before anything is read. Raises `NotFound`."""
    found = _RUN_ID.fullmatch(run_id)
    if not found:
        raise NotFound("There is no such run.")
    return found[1]


def exists(run_id: str) -> bool:
    """Whether the execution of a run was started. Raises `Unavailable`."""
    try:
        read(run_id)
    except NotFound:
        return False
    return True


def begin(execution: Execution) -> bool:
    """Starts an execution; false where one of that name is there already."""
    content = msgspec.json.encode(execution).decode()
    return step_functions.start(_machine(), execution.run_id, content)


def begin_as(name: str, state: Mapping[str, Any]) -> bool:
    """Starts an execution for an item of a run, with what its run's has; false if it is there."""
    return step_functions.start(_machine(), name, msgspec.json.encode(state).decode())


def is_running(name: str) -> bool:
    """Whether an execution has not ended, by its name. Raises `Unavailable`."""
    try:
        return bool(step_functions.describe(_machine(), name)["status"] == "RUNNING")
    except aws.AwsNotFound:
        return False


def read(run_id: str) -> tuple[Execution, dict[str, Any]]:
    """Input of a run's execution, and Step Functions' description of it.

    Raises:
        NotFound, Unavailable
    """
    workflow_of(run_id)
    try:
        about = step_functions.describe(_machine(), run_id)
    except aws.AwsNotFound:
        raise NotFound("There is no such run.") from None
    return msgspec.json.decode(about["input"], type=Execution), about


def running() -> Iterator[str]:
    """Names of all executions that run. Raises `Unavailable`."""
    return step_functions.running(_machine())


def count_items(run_id: str) -> dict[str, int]:
    """Counts of the run's items by their state, as the Map Run has them; none before it begins."""
    return step_functions.count_items(_machine(), run_id)


def stop(run_id: str) -> None:
    """Aborts an execution; nothing happens to one that has ended."""
    step_functions.stop(_machine(), run_id)


def _machine() -> str:
    return config.read(RunSettings).run_workflow
