"""Resends: which verification's code is sent again, and which is replaced by a new one.

A code that is sent again stays the code of its verification: a message that comes late is still
right, the attempts are shared, and the code expires when it would have.
"""

import hmac

from functions.core.errors import FieldError, InvalidParameters
from functions.core.verification.codes import code_keys
from functions.core.verification.destinations import Destination
from functions.core.verification.record import Verification

SHORTEST_VALIDITY_SECONDS = 120
"""Validity that a code must have left to be sent again; half of it where that is less.

The message takes its time, and so does the person who types the code.
"""

_OTHER = "must be that of the first send; leave it out, or send without resend_of"


def continues(verification: Verification, destination: Destination) -> bool:
    """Whether a send to a destination goes on with a verification that nobody has finished.

    The address must be exactly the verified one. Otherwise a code for one address could be read at
    another that only counts as the same mailbox.
    """
    return not verification.spent and verification.to == destination.address


def code_again(verification: Verification, test_code: str | None, now: float) -> str | None:
    """The code of a verification, if it can be sent again.

    Null without enough validity, and where the code cannot be told: in a record of an earlier
    release, after its key has gone, and where a test destination's code has changed.

    Args:
        verification: one that a send continues, with attempts left.
        test_code: fixed code of its destination, if that is a test destination.
        now: seconds since the epoch.
    """
    validity, left = (
        verification.expires_at - verification.created_at,
        verification.expires_at - now,
    )
    if verification.salt is None or left < min(SHORTEST_VALIDITY_SECONDS, validity / 2):
        return None
    verification_id = str(verification.verification_id)
    keys = code_keys(verification_id)
    code = test_code or keys.code(verification_id, verification.salt)
    known = hmac.compare_digest(keys.mac(verification_id, code), verification.code_mac)
    return code if known else None


def require_first(verification: Verification, *, purpose: str | None, nonce: str | None) -> None:
    """Raises `InvalidParameters` for another purpose or nonce than that of the first send."""
    given = {"/purpose": (purpose, verification.purpose), "/nonce": (nonce, verification.nonce)}
    errors = [
        FieldError(pointer, _OTHER)
        for pointer, (asked, first) in given.items()
        if asked is not None and asked != first
    ]
    if errors:
        raise InvalidParameters(*errors)
