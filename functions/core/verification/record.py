"""The record of a verification, and the one conditional write that decides a check."""

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
"""`last_mac` of a verification that nobody has tried yet; no HMAC is empty."""


class Verification(dynamodb.Table):
    """One code that was sent to one destination for one purpose."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("VERIFICATIONS_TABLE")

    verification_id = UnicodeAttribute(hash_key=True)
    channel = UnicodeAttribute()
    to = UnicodeAttribute()
    country = UnicodeAttribute(null=True)
    """Of a phone number, ISO 3166-1."""
    purpose = UnicodeAttribute(null=True)
    test = BooleanAttribute(null=True)
    """True where the code is a test destination's, which everybody may know."""
    client_network = NumberAttribute(null=True)
    """A pseudonym of the stranger's network that asked for it; null where a server sent on its own
    account."""
    limit_key = UnicodeAttribute(null=True)
    """Where the history of its destination is, in which its failures are settled."""
    nonce = UnicodeAttribute(null=True)
    message_id = UnicodeAttribute(null=True)
    """The provider's, of the message with the code; where delivery is recorded (delivery.py)."""
    delivery = UnicodeAttribute(null=True)
    """sent, delivered or failed, as far as it is known."""
    delivery_reason = UnicodeAttribute(null=True)
    """The provider's word for why it failed."""
    code_mac = BinaryAttribute(legacy_encoding=False)
    last_mac = BinaryAttribute(legacy_encoding=False, default=NOTHING)
    last_check = UnicodeAttribute(null=True)
    attempts = NumberAttribute(default=0)
    max_attempts = NumberAttribute()
    reserved = NumberAttribute(default=0)
    """Attempts that its destination's history holds for it: those it was issued with."""
    created_at = NumberAttribute()
    expires_at = NumberAttribute()
    delete_at = NumberAttribute()

    @property
    def spent(self) -> bool:
        """Whether its code was checked and found valid."""
        return hmac.compare_digest(self.last_mac, self.code_mac)

    @property
    def attempts_left(self) -> int:
        """How often a code may still be tried."""
        return int(self.max_attempts - self.attempts)

    def unchanged(self) -> Condition:
        """That nobody has tried a code since it was read."""
        condition: Condition = Verification.attempts == self.attempts
        return condition

    def settled_in(self, history: "SendHistory", now: float) -> "SendHistory":
        """Its destination's history once it has ended."""
        tried = int(self.attempts - (self.max_attempts - self.reserved))
        return history.settled(now, attempts=int(self.reserved), failed=tried, succeeded=self.spent)


class Verdict(NamedTuple):
    """What a check found. `verification` is null unless it was valid."""

    valid: bool
    attempts_left: int
    verification: Verification | None = None


REJECTED = Verdict(valid=False, attempts_left=0)
"""The one answer for unknown, expired, spent and exhausted verifications."""


def check(verification_id: str, code_mac: bytes, now: float) -> Verdict:
    """Decides a check with one conditional write (Rule 4.1).

    The write charges the attempt and stores the HMAC that was tried, if attempts are left, the code is not expired and
    the stored HMAC is not the right one. So the attempt is charged before it is judged, and once the right HMAC is
    stored the condition can never hold again: of any number of parallel right checks, one is valid.

    Each check signs its write (`last_check`). When the SDK repeats a write whose answer was lost, the repetition finds
    the condition failed by its own first try; the signature tells, so that a right code is not answered with false.

    Args:
        verification_id: as the client sent it.
        code_mac: HMAC of the submitted code for that id, 32 bytes.
        now: seconds since the epoch.
    """
    check_id = secrets.token_hex(8)
    actions = [
        Verification.last_mac.set(code_mac),
        Verification.last_check.set(check_id),
        Verification.attempts.set(Verification.attempts + 1),
    ]
    charged, stored = Verification.update_if(verification_id, actions, _can_be_tried(now))
    if stored is None or not (charged or stored.last_check == check_id):
        return REJECTED
    return Verdict(stored.spent, stored.attempts_left, stored if stored.spent else None)


def _can_be_tried(now: float) -> Condition:
    return (  # type: ignore[no-any-return] # PynamoDB types & as Any
        (Verification.attempts < Verification.max_attempts)
        & (Verification.expires_at > now)
        & (Verification.last_mac != Verification.code_mac)
    )
