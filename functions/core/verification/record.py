"""Record of a verification. checking.py decides checks."""

import hmac
from typing import TYPE_CHECKING

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


def find(verification_id: str) -> Verification | None:
    """The record of an id, as it is now; null without one. 1 DynamoDB request."""
    with dynamodb.unavailable_if_transient():
        try:
            return Verification.get(verification_id, consistent_read=True)
        except Verification.DoesNotExist:
            return None
