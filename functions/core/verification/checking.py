"""Checks of codes: the conditional write that decides one.

It is written without PynamoDB's model of the record (record.py), which would take most of a cold
start of verify_check, and a tenth of a call (decision 94).
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from functions.core import aws, config
from functions.core.aws import direct

_CHARGE = "SET last_mac = :mac, last_check = :mark, checked_at = :now, attempts = attempts + :one"
CAN_BE_TRIED = "attempts < max_attempts AND expires_at > :now AND last_mac <> code_mac"
"""As `Verification.can_be_tried`."""


class CheckedVerification(NamedTuple):
    """A verification after a check, with those of its attributes that a check needs."""

    channel: str
    to: str
    purpose: str | None
    test: bool | None
    nonce: str | None
    audience: str | None
    code_mac: bytes
    last_mac: bytes
    last_check: str | None
    checked_at: float
    attempts_left: int
    expires_at: float

    @property
    def spent(self) -> bool:
        """Whether the right code was submitted."""
        return hmac.compare_digest(self.last_mac, self.code_mac)

    def proves_to(self, audience: str) -> bool:
        """Whether a check by a token of an audience gets a proof."""
        return self.audience in {None, audience}

    def answers(self, mark: str, code_mac: bytes, now: float) -> bool:
        """Whether the last check was this one, and its code would still be valid."""
        same = self.last_check == mark and hmac.compare_digest(self.last_mac, code_mac)
        return same and self.expires_at > now


class Verdict(NamedTuple):
    """Result of a check. `verification` is null unless the code is valid."""

    valid: bool
    attempts_left: int
    verification: CheckedVerification | None = None
    repeated: bool = False
    """Whether a check that its client signed was found valid before."""


REJECTED = Verdict(valid=False, attempts_left=0)
"""Same answer for unknown, expired, used and exhausted verifications."""


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
    charged, stored = _charge(verification_id, code_mac, mark, now)
    if stored is None or not (charged or stored.answers(mark, code_mac, now)):
        return REJECTED
    if not stored.spent:
        return Verdict(valid=False, attempts_left=stored.attempts_left)
    repeated = signature is not None and not charged
    return Verdict(True, stored.attempts_left, stored, repeated)


def _charge(
    verification_id: str, code_mac: bytes, mark: str, now: float
) -> tuple[bool, CheckedVerification | None]:
    """Makes the write; says whether its condition held, and what is stored now, if anything."""
    write = {
        "TableName": config.table_name("VERIFICATIONS_TABLE"),
        "Key": {"verification_id": {"S": verification_id}},
        "UpdateExpression": _CHARGE,
        "ConditionExpression": CAN_BE_TRIED,
        "ExpressionAttributeValues": {
            ":mac": {"B": code_mac},
            ":mark": {"S": mark},
            ":now": {"N": repr(now)},
            ":one": {"N": "1"},
        },
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        return True, _read(direct.request("dynamodb", "UpdateItem", write)["Attributes"])
    except aws.AwsError as error:
        if error.code != "ConditionalCheckFailedException":
            raise
        stored = error.response.get("Item")
        return False, _read(stored) if stored else None


def _read(item: Mapping[str, Mapping[str, Any]]) -> CheckedVerification:
    def text(name: str) -> str | None:
        return item.get(name, {}).get("S")

    def number(name: str) -> float:
        return float(item.get(name, {}).get("N", 0))

    return CheckedVerification(
        channel=item["channel"]["S"],
        to=item["to"]["S"],
        purpose=text("purpose"),
        test=item.get("test", {}).get("BOOL"),
        nonce=text("nonce"),
        audience=text("audience"),
        code_mac=item["code_mac"]["B"],
        last_mac=item["last_mac"]["B"],
        last_check=text("last_check"),
        checked_at=number("checked_at"),
        attempts_left=int(number("max_attempts") - number("attempts")),
        expires_at=number("expires_at"),
    )
