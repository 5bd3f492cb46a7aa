"""Verifications that are sent, stored, checked and ended, as clients and schedules do it."""

import re
from itertools import count
from typing import Any

from functions.core.verification.codes import code_keys
from functions.core.verification.record import Verification
from functions.workflows.verify_check.handler import lambda_handler as verify_check
from functions.workflows.verify_delete.handler import lambda_handler as verify_delete
from functions.workflows.verify_send.handler import lambda_handler as verify_send
from tests.builders.http import Context, Reply, call
from tests.builders.parameters import check_parameters, send_parameters
from tests.workflows.conftest import sent_emails, sent_sms

CODE = "123456"
"""Code of a stored verification."""
FAR = 4_000_000_000
"""Seconds since the epoch, in the year 2096."""


def send(
    to: object = "ana@example.com",
    *,
    kind: str = "secret",
    ip: str = "192.0.2.1",
    audience: str | None = None,
    **parameters: object,
) -> Reply:
    """Calls verify_send.

    Args:
        to: an address, or a number, which gets an SMS unless `channel` says otherwise.
        kind: of the token that calls.
        ip: address of the client.
        audience: of the token.
        parameters: the others of verify_send.
    """
    return call(verify_send, send_parameters(to, **parameters), kind=kind, ip=ip, audience=audience)


def check(verification_id: str, code: object = CODE, **options: Any) -> Reply:
    """Calls verify_check; the options are those of `http_event`."""
    return call(verify_check, check_parameters(verification_id, code), **options)


def guess(verification_id: str) -> Reply:
    """Checks with a code that no message contains; a fixed code would sometimes be right."""
    texts = [mail.body for mail in sent_emails()] + [text for _, text in sent_sms()]
    sent = "\n".join([CODE, *texts])
    return check(verification_id, next(f"{n:06}" for n in count() if f"{n:06}" not in sent))


def end(verification_id: str) -> None:
    """Fires the deletion schedule of a verification."""
    event = {"trigger": "schedule", "parameters": {"verification_id": verification_id}}
    assert verify_delete(event, Context())["problem"] is None


def stored(**changes: Any) -> str:
    """Stores a verification as verify_send leaves it, with these changes; returns its id."""
    verification_id = changes.pop("verification_id", code_keys().new_verification_id())
    facts: dict[str, Any] = {
        "channel": "email",
        "to": "ana@example.com",
        "purpose": "sign_in",
        "code_mac": code_keys().mac(verification_id, CODE),
        "max_attempts": 5,
        "created_at": 0,
        "expires_at": FAR,
        "delete_at": FAR,
    }
    Verification(verification_id, **(facts | changes)).save()
    return str(verification_id)


def last_code() -> str:
    """The code in the newest SMS, or in the newest email where there is no SMS."""
    texts = [mail.body for mail in sent_emails()][-1:] + [text for _, text in sent_sms()][-1:]
    assert texts, "nothing was sent"
    shown = re.sub(r"<style.*?</style>", "", texts[-1], flags=re.DOTALL)
    found = re.search(r"(?<![#\d])\d{6,10}(?!\d)", shown)
    assert found, shown
    return found[0]
