"""Requests for a verification, and what is issued for one."""

from typing import NamedTuple

import msgspec

from functions.core import config
from functions.core.verification.destinations import Destination
from functions.core.verification.limits import sending
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.limits.sends import Allowance, Send, Sender, SendRules
from functions.core.verification.record import Verification


class SendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Request for a verification."""

    destination: Destination
    allowance: Allowance
    client_ip: str | None = None
    purpose: str | None = None
    nonce: str | None = None
    audience: str | None = None
    """Audience of the token that sends."""
    resend_of: str | None = None
    test_code: str | None = None
    """Fixed code of a test destination."""
    belongs_to_nobody: bool = False
    """Whether the destination is reserved for fiction."""

    @property
    def for_stranger(self) -> bool:
        """Whether an unknown person asks, with a publishable token or through a server."""
        return self.allowance == "publishable" or self.client_ip is not None

    @property
    def send_rules(self) -> SendRules:
        """Limits on the sends to the destination.

        A server's own tests need not wait: nothing is sent, and the destination is nobody's.
        """
        rules = config.read(sending.SendLimitSettings).send_rules
        is_own_test = self.test_code and self.belongs_to_nobody and self.allowance == "secret"
        return rules.of_the_day_only if is_own_test else rules

    @property
    def sender(self) -> Sender:
        """Who sends, as the destination's history counts it."""
        return sending.sender(self.destination, self.allowance, self.client_ip)


class IssuedVerification(NamedTuple):
    """A verification whose code is to be sent, and the code, which is stored nowhere."""

    verification: Verification
    code: str
    request: SendRequest
    limit: SendLimitRecord
    """History of the destination, as written with the verification."""
    send: Send
    """This send in that history."""
    earlier_channel: str | None = None
    """Channel of the send before a resend; null where the verification is new."""

    @property
    def is_resend(self) -> bool:
        """Whether the code was sent before."""
        return self.earlier_channel is not None

    @property
    def valid_seconds(self) -> float:
        """Validity that the code has left."""
        return float(self.verification.expires_at) - self.send.at

    @property
    def resend_at(self) -> float:
        """Time at which the next send is accepted, seconds since the epoch."""
        history = self.limit.read_history()
        return history.opens_at(self.request.sender, self.request.send_rules, self.send.at)
