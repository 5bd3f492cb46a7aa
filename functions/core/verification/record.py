"""Record of a verification, and the conditional write that decides a check."""

import hmac
import secrets
from typing import TYPE_CHECKING, NamedTuple

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from functions.core.aws import dynamodb
from functions.core.config import table_name

if TYPE_CHECKING:
    from functions.core.verification.limits.send_history import SendHistory

NOTHING = b""
"""`last_mac` before the first check; no HMAC is empty."""


class Verification(dynamodb.Table):
    """Record of one code that was sent to one destination for one purpose."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("VERIFICATIONS_TABLE")

    verification_id = UnicodeAttribute(hash_key=True)
    channel = UnicodeAttribute()
    to = UnicodeAttribute()
    country = UnicodeAttribute(null=True)
    """Country of a phone number, ISO 3166-1."""
    purpose = UnicodeAttribute(null=True)
    test = BooleanAttribute(null=True)
    """True for a test destination, whose code is no secret."""
    client_network = NumberAttribute(null=True)
    """Pseudonym of the network that a stranger asked from; null for a server's own sends."""
    limit_key = UnicodeAttribute(null=True)
    """Key of the destination's history, in which failures are settled."""
    nonce = UnicodeAttribute(null=True)
    audience = UnicodeAttribute(null=True)
    """Audience of the token that sent the code, the only one that gets a proof; empty for none.
    Null in records of earlier releases: any audience gets one."""
    message_id = UnicodeAttribute(null=True)
    """Provider's id of the message with the code; set where delivery is recorded (delivery.py)."""
    delivery = UnicodeAttribute(null=True)
    """Last known status: sent, delivered or failed."""
    delivery_reason = UnicodeAttribute(null=True)
    """Provider's word for why delivery failed."""
    salt = BinaryAttribute(legacy_encoding=False, null=True)
    """Random bytes from which the code follows with its key; null in records of earlier releases,
    whose code cannot be sent again."""
    code_mac = BinaryAttribute(legacy_encoding=False)
    last_mac = BinaryAttribute(legacy_encoding=False, default=NOTHING)
    last_check = UnicodeAttribute(null=True)
    """Mark of the last check."""
    checked_at = NumberAttribute(null=True)
    """Time of the last check; null in records of earlier releases."""
    attempts = NumberAttribute(default=0)
    max_attempts = NumberAttribute()
    reserved = NumberAttribute(default=0)
    """Attempts that the destination's history reserves for this verification."""
    created_at = NumberAttribute()
    expires_at = NumberAttribute()
    delete_at = NumberAttribute()

    @property
    def spent(self) -> bool:
        """Whether the right code was submitted."""
        return hmac.compare_digest(self.last_mac, self.code_mac)

    @property
    def attempts_left(self) -> int:
        """Number of checks that are left."""
        return int(self.max_attempts - self.attempts)

    @property
    def valid_at(self) -> float | None:
        """Time of the valid check; null where there was none."""
        return float(self.checked_at or self.created_at) if self.spent else None

    def proves_to(self, audience: str) -> bool:
        """Whether a check by a token of an audience gets a proof."""
        return self.audience in {None, audience}

    def answers(self, mark: str, code_mac: bytes, now: float) -> bool:
        """Whether the last check was this one, and its code would still be valid."""
        same = self.last_check == mark and hmac.compare_digest(self.last_mac, code_mac)
        return same and float(self.expires_at) > now

    @staticmethod
    def can_be_tried(now: float) -> Condition:
        """Condition: attempts are left, the code is not expired, and it is not spent."""
        return (  # type: ignore[no-any-return] # PynamoDB types & as Any
            (Verification.attempts < Verification.max_attempts)
            & (Verification.expires_at > now)
            & (Verification.last_mac != Verification.code_mac)
        )

    def unchanged(self) -> Condition:
        """Condition: no check since the record was read."""
        condition: Condition = Verification.attempts == self.attempts
        return condition

    def settled_in(self, history: "SendHistory", now: float) -> "SendHistory":
        """Returns the destination's history after the end of this verification."""
        tried = int(self.attempts - (self.max_attempts - self.reserved))
        return history.settled(
            now, attempts=int(self.reserved), failed=tried, valid_at=self.valid_at
        )


class Verdict(NamedTuple):
    """Result of a check. `verification` is null unless the code is valid."""

    valid: bool
    attempts_left: int
    verification: Verification | None = None
    repeated: bool = False
    """Whether a check that its client signed was found valid before."""


REJECTED = Verdict(valid=False, attempts_left=0)
"""Same answer for unknown, expired, used and exhausted verifications."""


def find(verification_id: str) -> Verification | None:
    """The record of an id, as it is now; null without one. 1 DynamoDB request."""
    with dynamodb.unavailable_if_transient():
        try:
            return Verification.get(verification_id, consistent_read=True)
        except Verification.DoesNotExist:
            return None


_CHARGE = (
    "SET last_mac = :last_mac, last_check = :last_check, checked_at = :checked_at, "
    "attempts = attempts + :attempts"
)
CAN_BE_TRIED = "attempts < max_attempts AND expires_at > :checked_at AND last_mac <> code_mac"
"""As `Verification.can_be_tried`."""


def check(
    verification_id: str, code_mac: bytes, now: float, signature: str | None = None
) -> Verdict:
    """Decides a check with one conditional write (Rule 4.1).

    The write charges an attempt and stores the submitted HMAC. Its condition: attempts are left,
    the code is not expired, and the stored HMAC is not the right one. So the attempt is charged
    before it is judged. Once the right HMAC is stored, the condition never holds again: of any
    number of parallel right checks, one is valid.

    Each check marks its write (`last_check`). When the SDK repeats a write whose answer was lost,
    the first try has made the condition fail. The mark shows that the write was this check's own,
    so a right code is not answered with false. The mark is random, unless the client signs its
    check: then a repetition by the client is this check, too, while the code would be valid.

    Args:
        verification_id: id as the client sent it.
        code_mac: HMAC of the submitted code for that id, 32 bytes.
        now: seconds since the epoch.
        signature: mark of a check that the client signed; the same for each repetition.
    """
    mark = signature or secrets.token_hex(8)
    charged, stored = Verification.update_stated(
        verification_id,
        _CHARGE,
        CAN_BE_TRIED,
        last_mac=code_mac,
        last_check=mark,
        checked_at=now,
        attempts=1,
    )
    if stored is None or not (charged or stored.answers(mark, code_mac, now)):
        return REJECTED
    if not stored.spent:
        return Verdict(valid=False, attempts_left=stored.attempts_left)
    repeated = signature is not None and not charged
    return Verdict(True, stored.attempts_left, stored, repeated)
