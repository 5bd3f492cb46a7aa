"""verify_send: creates a verification and sends its code by email or SMS."""

import time
from datetime import datetime
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from functions.core import scheduler, table
from functions.core.errors import ProviderRefused, ProviderUnavailable, Unavailable
from functions.core.log import count, logger
from functions.core.messages import email, sms
from functions.core.messages.render import prepare as prepare_templates
from functions.core.messages.render import render
from functions.core.parameters import Parameters, Result
from functions.core.settings import read_settings
from functions.core.times import utc
from functions.core.verification import limits, record
from functions.core.verification.codes import code_keys
from functions.core.verification.destinations import Channel, Destination, read_destination
from functions.core.verification.issue import Issued, issue
from functions.core.verification.settings import settings as verification_settings
from functions.core.workflow import workflow

Purpose = Literal["sign_up", "sign_in", "two_factor", "change_destination"]


class VerifySendSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What only this workflow needs."""

    verify_delete_function: str
    """ARN of the Lambda that deletes the verification later."""


@cache
def settings() -> VerifySendSettings:
    """Raises `SettingsError` with a sentence for each wrong variable."""
    return read_settings(VerifySendSettings)


class VerifySend(Parameters):
    """Whom to send a code, and why."""

    channel: Channel
    to: Annotated[str, Meta(min_length=1, max_length=320)]
    """An email address, or a phone number in E.164."""
    purpose: Purpose | None = None
    """What the code is for; verify_check returns it."""
    resend_of: Annotated[str, Meta(max_length=64)] | None = None
    """The verification that this one replaces."""


class VerificationSent(Result):
    """A verification that was created, and whose code the provider has taken."""

    verification_id: str
    channel: Channel
    to: str
    """Masked."""
    code_length: int
    expires_at: datetime
    resend_at: datetime
    """When the next send to this destination will be accepted."""


def verify_send(parameters: VerifySend) -> VerificationSent:
    """Charges the limits and writes the verification, makes the schedule that deletes it, sends the code: in this order,
    so that whatever fails on the way leaves nothing that lasts.
    """
    destination = read_destination(parameters.channel, parameters.to)
    issued = issue(destination, purpose=parameters.purpose, resend_of=parameters.resend_of, now=time.time())
    _schedule_deletion(issued)
    _deliver(destination, issued)
    count("VerificationSent", channel=destination.channel)
    return VerificationSent(
        verification_id=issued.verification.verification_id,
        channel=destination.channel,
        to=destination.masked,
        code_length=len(issued.code),
        expires_at=utc(issued.verification.expires_at),
        resend_at=utc(issued.resend_at),
    )


def _schedule_deletion(issued: Issued) -> None:
    """TTL is the backstop, so a send does not fail for want of a schedule."""
    verification_id = issued.verification.verification_id
    parameters = {"verification_id": verification_id}
    try:
        scheduler.schedule_once(
            verification_id, issued.verification.delete_at, settings().verify_delete_function, parameters
        )
    except Exception:  # noqa: BLE001 - whatever keeps the schedule from being made, TTL takes over
        count("DeletionNotScheduled")
        logger.warning("deletion not scheduled; TTL takes over", verification_id=verification_id, exc_info=True)


def _deliver(destination: Destination, issued: Issued) -> None:
    try:
        _send(destination, issued.code)
    except (ProviderRefused, ProviderUnavailable) as error:
        _undo(destination, issued, nothing_sent=error.nothing_sent)
        raise


def _send(destination: Destination, code: str) -> None:
    minutes = verification_settings().code_valid_seconds // 60
    parts = _EMAIL if destination.channel == "email" else _SMS
    rendered = [render(part, code=code, minutes=minutes) for part in parts]
    if destination.channel == "email":
        email.send_email(destination.deliver_to, email.Email(*rendered))
    else:
        sms.send_sms(destination.deliver_to, *rendered)


def _undo(destination: Destination, issued: Issued, *, nothing_sent: bool) -> None:
    """A code that was not sent must not stay valid; what was certainly not sent does not count against a limit."""
    verification_id = issued.verification.verification_id
    try:
        record.delete(verification_id)
        if nothing_sent:
            limits.refund_cooldown(destination, verification_id)
    except Unavailable:
        logger.warning(
            "failed send not undone; the schedule deletes it", verification_id=verification_id, exc_info=True
        )


_EMAIL = ("verification/subject.txt", "verification/body.txt", "verification/body.html")
_SMS = ("verification/sms.txt",)


def _prepare() -> None:
    for part in (settings, code_keys, limits.prepare, table.connect, scheduler.prepare, email.prepare, sms.prepare):
        part()
    prepare_templates(*_EMAIL, *_SMS)


lambda_handler = workflow(verify_send, prepare=_prepare)
