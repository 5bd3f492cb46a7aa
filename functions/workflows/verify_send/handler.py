"""verify_send: creates a verification and sends its code by email, SMS, WhatsApp or voice."""

import math
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core import clock, config
from functions.core.aws import dynamodb, scheduler
from functions.core.clock import utc
from functions.core.errors import (
    FieldError,
    InvalidParameters,
    ProviderRefused,
    ProviderUnavailable,
    TooSlow,
    Unavailable,
)
from functions.core.integrations.captcha import solved
from functions.core.messages import channels, email, sms, verification
from functions.core.messages.rendering.code_link import CodeLink
from functions.core.messages.rendering.locales import LocaleHint
from functions.core.messages.rendering.purposes import Purpose
from functions.core.messages.settings import MessageSettings
from functions.core.observability import count, logger
from functions.core.rate_limits import limits
from functions.core.verification import delivery, test_destinations
from functions.core.verification.codes import VerificationId, code_keys, tag_of
from functions.core.verification.destinations import Channel, read_destination
from functions.core.verification.issuing.issue import issue
from functions.core.verification.issuing.request import IssuedVerification, SendRequest
from functions.core.verification.limits.networks import is_ip_address
from functions.core.verification.limits.sending import SendLimitSettings
from functions.core.verification.settings import VerificationSettings
from functions.core.verification.settlement import roll_back
from functions.core.verification.test_destinations import DestinationTestSettings
from functions.core.workflow import Call, NumericStr, Parameters, Result, workflow


@config.settings()
class VerifySendSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of this workflow only."""

    verify_delete_function: str
    """ARN of the Lambda that deletes the verification later."""
    record_delivery: bool = False
    """Whether records store that the code was sent, for events and providers' later reports."""


class TypedDestination(NumericStr):
    """Email address or phone number as people type and paste it."""

    shortest = 1
    longest = 320


class VerifySend(Parameters):
    """Destination of a code, and its purpose."""

    channel: Channel
    """How the code is sent. The deployment's settings switch on whatsapp and voice."""
    to: TypedDestination
    """Email address, or phone number in E.164. A JSON integer is read as its digits."""
    purpose: Purpose | None = None
    """Purpose of the code. The message states it, and verify_check returns it.

    A deployment may have further purposes.
    """
    locale: LocaleHint | None = None
    """Languages of the reader, as browsers and systems name them.

    If none of them is known, the default language is used.
    """
    country: Annotated[str, Meta(max_length=64)] | None = None
    """Country of a phone number without a country code, ISO 3166-1."""
    nonce: Annotated[str, Meta(max_length=128, pattern=r"^[A-Za-z0-9._~-]+\Z")] | None = None
    """Text chosen by the receiver of the proof, which the proof then contains."""
    resend_of: VerificationId | None = None
    """Verification whose code is sent again, or that this one replaces."""
    client_ip: Annotated[str, Meta(max_length=45)] | None = None
    """IP address of the client of a server, which the limits count; only with a secret token."""
    captcha_token: Annotated[str, Meta(max_length=10_000, pattern=r"^[!-~]+\Z")] | None = None
    """Token that the deployment's CAPTCHA gave to the page. A publishable token needs it."""
    link: CodeLink | None = None
    """Page that the email links to, with id and code in the fragment; only with a secret token."""

    def check(self) -> None:
        """Raises `InvalidParameters` for a link that nobody would see."""
        if self.link and self.channel != "email":
            raise InvalidParameters(FieldError("/link", "is only for the channel email"))


class VerificationSent(Result):
    """A verification whose code the provider has accepted."""

    verification_id: str
    """Id of the verification, for verify_check."""
    channel: Channel
    """How the code was sent."""
    to: str
    """Masked destination."""
    code_length: int
    """Characters of the code."""
    expires_at: datetime
    """Time until which the code is valid."""
    resend_at: datetime
    """Time from which the next send to this destination on this channel is accepted."""
    expires_in_seconds: int
    """Seconds until `expires_at`, for clients whose clock is wrong."""
    resend_in_seconds: int
    """Seconds until `resend_at`."""


def verify_send(parameters: VerifySend, call: Call) -> VerificationSent:
    """Creates a verification and sends its code, or sends the code of an earlier one again.

    The code goes by email, SMS, WhatsApp or voice. Each send counts towards the limits of the
    destination.

    Raises:
        AttemptsExhausted, CaptchaFailed, CountryNotAllowed, LineTypeNotSupported, LimitExceeded,
        ProviderRefused, ProviderUnavailable
    """
    # The limits first, then the record and its deletion, the code last: so a failure leaves
    # nothing behind for good.
    if parameters.channel in {"whatsapp", "voice"}:
        channels.require(parameters.channel)
    destination = read_destination(parameters.channel, parameters.to, parameters.country)
    client_ip = _client_ip(parameters, call)
    _require_own_link(parameters, call)
    # After all that is wrong for free, as the token works once; before all that a bot would use up.
    solved.require_solved(parameters.captcha_token, needed=call.publishable)
    now = clock.now()
    request = SendRequest(
        destination=destination,
        allowance="publishable" if call.publishable else "secret",
        client_ip=client_ip,
        purpose=parameters.purpose,
        nonce=parameters.nonce,
        audience=call.caller.audience if call.caller else None,
        resend_of=parameters.resend_of,
        test_code=test_destinations.fixed_code(destination, now),
        belongs_to_nobody=test_destinations.belongs_to_nobody(destination),
    )
    issued = issue(request, now)
    if not issued.is_resend:
        _schedule_deletion(issued)
    _deliver(issued, parameters)
    count("VerificationSent", channel=destination.channel)
    return _answer(issued, clock.now())


def _answer(issued: IssuedVerification, now: float) -> VerificationSent:
    """Answer of a send. Its times are rounded so that a client that keeps to them is not early for
    the next send, and not late for the code.
    """
    expires_at, resend_at = float(issued.verification.expires_at), issued.resend_at
    return VerificationSent(
        verification_id=issued.verification.verification_id,
        channel=issued.request.destination.channel,
        to=issued.request.destination.masked,
        code_length=len(issued.code),
        expires_at=utc(expires_at),
        resend_at=utc(math.ceil(resend_at)),
        expires_in_seconds=max(0, math.floor(expires_at - now)),
        resend_in_seconds=max(0, math.ceil(resend_at - now)),
    )


def _schedule_deletion(issued: IssuedVerification) -> None:
    """Schedules the deletion. A failure does not fail the send, because TTL deletes as well."""
    verification_id = issued.verification.verification_id
    parameters = {"verification_id": verification_id}
    try:
        scheduler.schedule_once(
            verification_id,
            issued.verification.delete_at,
            config.read(VerifySendSettings).verify_delete_function,
            parameters,
        )
    except TooSlow:
        raise
    except Exception:  # noqa: BLE001 - TTL deletes the verification as well
        count("DeletionNotScheduled")
        logger.warning(
            "deletion not scheduled; TTL will delete the verification",
            verification_id=verification_id,
            exc_info=True,
        )


def _client_ip(parameters: VerifySend, call: Call) -> str | None:
    """Address that the limits count. With a publishable token it is always the request's own."""
    if parameters.client_ip is None:
        return call.client_ip if call.publishable else None
    if call.publishable:
        raise InvalidParameters(FieldError("/client_ip", "is only accepted with a secret token"))
    if not is_ip_address(parameters.client_ip):
        raise InvalidParameters(FieldError("/client_ip", "is not an IPv4 or IPv6 address"))
    return parameters.client_ip


def _require_own_link(parameters: VerifySend, call: Call) -> None:
    """Strangers may not choose the page that gets a code, unless a setting allows it."""
    allowed = not call.publishable or config.read(VerificationSettings).publishable_links
    if parameters.link and not allowed:
        raise InvalidParameters(
            FieldError("/link", "is only accepted with a secret token (setting publishable_links)")
        )


def _deliver(issued: IssuedVerification, parameters: VerifySend) -> None:
    if issued.request.test_code:
        count("TestDestinationUsed", channel=issued.request.destination.channel)
        return
    try:
        message_id = _send(issued, parameters)
    except Exception as error:
        nothing_sent = (
            error.nothing_sent
            if isinstance(error, ProviderRefused | ProviderUnavailable)
            else False
        )
        _undo(issued, nothing_sent=nothing_sent)
        raise
    if config.read(VerifySendSettings).record_delivery:
        _record_sent(issued.verification.verification_id, message_id)


def _send(issued: IssuedVerification, parameters: VerifySend) -> str:
    """Sends the code. Returns the provider's id of the message."""
    channel, to, purpose = (
        issued.request.destination.channel,
        issued.request.destination.deliver_to,
        issued.verification.purpose,
    )
    minutes, verification_id = (
        max(1, round(issued.valid_seconds) // 60),
        issued.verification.verification_id,
    )
    locale, link = parameters.locale, parameters.link
    if channel == "email":
        return email.send_email(
            to,
            verification.verification_email(
                issued.code,
                minutes=minutes,
                purpose=purpose,
                locale=locale,
                link=link and link.with_code(verification_id, issued.code),
            ),
            tags={"verification_id": tag_of(verification_id)},
            configuration_set=config.read(MessageSettings).email_configuration_set,
        )
    if channel == "voice":
        introduction, language = verification.spoken_introduction(purpose=purpose, locale=locale)
        return channels.call_with_code(
            to, introduction, issued.code, language, verification_id
        ).message_id
    text = verification.verification_sms(
        issued.code, minutes=minutes, purpose=purpose, locale=locale
    )
    if channel == "whatsapp":
        return channels.send_whatsapp(to, text, issued.code, verification_id).message_id
    return sms.send_sms(to, text, verification_id).message_id


def _record_sent(verification_id: str, message_id: str) -> None:
    """Records that the code was sent. A failure does not fail the send: the code is on its way."""
    try:
        delivery.record(verification_id, "sent", message_id)
    except TooSlow:
        raise
    except Exception:  # noqa: BLE001 - the code was sent, recorded or not
        count("DeliveryNotRecorded")
        logger.warning(
            "sent, but not recorded as sent", verification_id=verification_id, exc_info=True
        )


def _undo(issued: IssuedVerification, *, nothing_sent: bool) -> None:
    """Takes back what the send wrote. If certainly nothing was sent, no limit counts it."""
    try:
        roll_back(issued, nothing_sent=nothing_sent, now=clock.now())
    except Unavailable:
        logger.warning(
            "failed send not undone; the schedule will delete the verification", exc_info=True
        )


lambda_handler = workflow(
    verify_send,
    prepare=[
        VerifySendSettings,
        code_keys,
        SendLimitSettings,
        limits.prepare,
        DestinationTestSettings,
        solved.prepare,
        dynamodb.connect,
        scheduler.prepare,
        email.prepare,
        sms.prepare,
        channels.prepare,
        verification.prepare,
    ],
    publishable=True,
)
