"""verify_delete: deletes a verification.

EventBridge Scheduler calls it 15 minutes after the verification was created; clients may call it
earlier.
"""

from functions.core import clock
from functions.core.aws import dynamodb
from functions.core.observability import count
from functions.core.verification.codes import VerificationId
from functions.core.verification.settlement import delete
from functions.core.workflow import Parameters, Result, workflow


class VerifyDelete(Parameters):
    """The verification to delete."""

    verification_id: VerificationId
    """Id that verify_send returned."""


class VerificationDeleted(Result):
    """A verification that does not exist any more."""

    verification_id: str
    """Id of the verification."""
    deleted: bool
    """Whether it existed before."""


def verify_delete(parameters: VerifyDelete) -> VerificationDeleted:
    """Deletes a verification.

    Idempotent: an absent one is a success. It runs by itself 15 minutes after verify_send.
    """
    deleted = delete(parameters.verification_id, clock.now())
    if deleted:
        count("VerificationDeleted")
    return VerificationDeleted(verification_id=parameters.verification_id, deleted=deleted)


lambda_handler = workflow(verify_delete, prepare=[dynamodb.connect])
