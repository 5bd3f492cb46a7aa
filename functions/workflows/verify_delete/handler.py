"""verify_delete: deletes a verification, 15 minutes after it was created (EventBridge Scheduler) or when it is asked to."""

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.observability import count
from functions.core.verification.codes import VerificationId
from functions.core.verification.settlement import delete
from functions.core.workflow import Parameters, Result, workflow


class VerifyDelete(Parameters):
    """Which verification goes."""

    verification_id: VerificationId


class VerificationDeleted(Result):
    """The verification is gone; `deleted` says whether it was there."""

    verification_id: str
    deleted: bool


def verify_delete(parameters: VerifyDelete) -> VerificationDeleted:
    """Idempotent: deleting what is not there is a success. What became of the attempts is settled with the deletion."""
    deleted = delete(parameters.verification_id, clock.now())
    if deleted:
        count("VerificationDeleted")
    return VerificationDeleted(verification_id=parameters.verification_id, deleted=deleted)


lambda_handler = workflow(verify_delete, prepare=[dynamodb.connect])
