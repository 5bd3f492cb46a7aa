"""verify_check: says whether the submitted code is valid."""

import time
from typing import Annotated

from msgspec import Meta

from functions.core import table
from functions.core.log import count
from functions.core.parameters import Parameters, Result
from functions.core.verification.codes import code_keys, normalise
from functions.core.verification.record import check
from functions.core.workflow import workflow


class VerifyCheck(Parameters):
    """A code that somebody typed."""

    verification_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
    code: Annotated[str, Meta(min_length=1, max_length=64)]
    """Spaces and hyphens do not matter."""


class VerificationChecked(Result):
    """Whether the code is valid. Unknown, expired, spent and exhausted verifications answer alike: false, 0 left."""

    valid: bool
    attempts_left: int
    channel: str | None = None
    to: str | None = None
    """The destination that is verified now; null unless valid."""
    purpose: str | None = None
    proof: str | None = None
    """Not issued yet."""


def verify_check(parameters: VerifyCheck) -> VerificationChecked:
    """One DynamoDB request decides, right or wrong."""
    code_mac = code_keys(parameters.verification_id).mac(parameters.verification_id, normalise(parameters.code))
    verdict = check(parameters.verification_id, code_mac, time.time())
    count("CheckValid" if verdict.valid else "CheckInvalid")
    if verdict.verification is None:
        return VerificationChecked(valid=False, attempts_left=verdict.attempts_left)
    return VerificationChecked(
        valid=True,
        attempts_left=verdict.attempts_left,
        channel=verdict.verification.channel,
        to=verdict.verification.to,
        purpose=verdict.verification.purpose,
    )


def _prepare() -> None:
    code_keys()
    table.connect()


lambda_handler = workflow(verify_check, prepare=_prepare)
