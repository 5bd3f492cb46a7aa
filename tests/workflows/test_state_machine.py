"""Verifications against a model, one call at a time; e2e/test_storms.py has parallel calls.

Send, check, resend on any channel, a send or resend that fails, a check that is signed, delete, a
schedule that is late or fires twice, a crash between steps, a record that TTL removed first, and a
clock that stops at the boundaries.
"""

from typing import Any, NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from functions.core.errors import AttemptsExhausted, LimitExceeded
from functions.core.verification import settlement
from functions.core.verification.checking import check
from functions.core.verification.codes import code_keys
from functions.core.verification.destinations import read_destination
from functions.core.verification.issuing.issue import SETTLEMENT_SECONDS, issue
from functions.core.verification.issuing.request import IssuedVerification, SendRequest
from functions.core.verification.limits import sending
from functions.core.verification.limits.send_history import SendHistory
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.limits.sends import Allowance
from functions.core.verification.record import Verification
from tests.sizes import size
from tests.workflows.conftest import Settings, account

pytestmark = pytest.mark.soak

DESTINATION = "+14155550123"
VALID_SECONDS, DELETE_SECONDS, MAX_ATTEMPTS, COOLDOWN_SECONDS = 600, 900, 5, 60
RESENT_UNTIL_SECONDS = 120
EDGES = (59, 60, 479, 480, 481, 599, 600, 601, 899, 900, 901)
WAITS = st.sampled_from((60, 61, 240, 600, 3600, 3600, 3600, 86_400))
SHORT_WAITS = st.sampled_from((1, 30, 60, 61, 121, 240, 480, 600))
ALLOWANCES: Any = st.sampled_from(["publishable", "secret"])
CHANNELS: Any = st.sampled_from(["sms", "whatsapp", "voice"])
SIGNATURES = st.sampled_from([None, "one signature", "another signature"])
FAILURES = st.sampled_from([None, None, "nothing sent", "perhaps sent"])


class Crash(Exception):
    """The process is killed here."""


class Sent(NamedTuple):
    verification_id: str
    code: str


class Known:
    """The model's state of one verification."""

    def __init__(self, issued: IssuedVerification, carried: int, now: float) -> None:
        self.code = issued.code
        self.channel = issued.request.destination.channel
        self.signature: str | None = None
        self.carried = carried
        self.tried = carried
        self.expires_at = now + VALID_SECONDS
        self.spent = False

    def answers(self, code: str, now: float, signature: str | None) -> tuple[bool, int]:
        """Expected answer of a check; charges the attempt."""
        again = self.spent and signature and signature == self.signature and code == self.code
        if again and now < self.expires_at:
            return True, MAX_ATTEMPTS - self.tried
        if self.spent or self.tried >= MAX_ATTEMPTS or now >= self.expires_at:
            return False, 0
        self.tried += 1
        self.spent, self.signature = code == self.code, signature
        return self.spent, MAX_ATTEMPTS - self.tried

    def is_sent_again(self, now: float) -> bool:
        """Whether a resend sends its code again."""
        left = self.expires_at - now
        return not self.spent and self.tried < MAX_ATTEMPTS and left >= RESENT_UNTIL_SECONDS

    @property
    def failed(self) -> int:
        return self.tried - self.carried


class Verifications(RuleBasedStateMachine):
    sent = Bundle("sent")

    @initialize()
    def start(self) -> None:
        self.monkeypatch = pytest.MonkeyPatch()
        self.account = account(Settings(self.monkeypatch))
        self.account.__enter__()
        self.now = 1_000_000_000.0
        self.there: dict[str, Known] = {}
        self.failures, self.failed_at = 0, self.now
        self.sends: list[tuple[float, Allowance, str]] = []
        self.valid_at = 0.0
        self.lost = False
        """Whether a reservation may have ended without its settlement.

        Either TTL was first, or the schedule was hours late.
        """

    def teardown(self) -> None:
        if hasattr(self, "account"):
            self.account.__exit__(None, None, None)
            self.monkeypatch.undo()

    def issue(
        self, allowance: Allowance, channel: str, resend_of: str | None
    ) -> IssuedVerification | None:
        """Issues a verification; null where that is refused, which must change nothing."""
        destination = read_destination(channel, DESTINATION)  # type: ignore[arg-type]
        request = SendRequest(destination=destination, allowance=allowance, resend_of=resend_of)
        before = self.stored()
        try:
            issued = issue(request, self.now)
        except (LimitExceeded, AttemptsExhausted) as error:
            assert self.stored() == before, "a refusal changed something"
            self.judge_refusal(error, allowance, channel)
            return None
        waited_for = self.waited_for(allowance, channel)
        assert not waited_for or self.lost or waited_for[-1] + COOLDOWN_SECONDS <= self.now
        self.sends.append((self.now, allowance, channel))
        return issued

    def judge_refusal(self, error: Exception, allowance: Allowance, channel: str) -> None:
        policy = error.policy.name if isinstance(error, LimitExceeded) and error.policy else ""
        if policy == "cooldown":
            assert self.lost or self.waited_for(allowance, channel), "a valid check ends it"

    def waited_for(self, allowance: Allowance, channel: str) -> list[float]:
        """Sends of the last hour on a channel that a cooldown waits for."""
        after = max(self.valid_at, self.now - 3600)
        return [at for at, *how in self.sends if how == [allowance, channel] and at > after]

    @staticmethod
    def stored() -> dict[str, tuple[int, bool, str]]:
        return {
            each.verification_id: (int(each.attempts), each.spent, each.channel)
            for each in Verification.scan()
        }

    def made(self, issued: IssuedVerification, replaced: str | None, failure: str | None) -> Any:
        """Model of a new verification, and of the end of one whose send fails."""
        carried = self.replace(replaced)
        verification_id = str(issued.verification.verification_id)
        self.there[verification_id] = Known(issued, carried, self.now)
        if failure:
            self.fail(issued, failure)
            self.settle(self.there.pop(verification_id))
            return multiple()
        return Sent(verification_id, issued.code)

    def fail(self, issued: IssuedVerification, failure: str) -> None:
        nothing_sent = failure == "nothing sent"
        settlement.roll_back(issued, nothing_sent=nothing_sent, now=self.now)
        if nothing_sent:
            self.sends.pop()

    def replace(self, verification_id: str | None) -> int:
        """Model of `resend_of`: the attempts that carry over."""
        replaced = self.there.pop(verification_id or "", None)
        if replaced is None:
            return 0
        self.settle(replaced)
        return 0 if replaced.spent else replaced.tried

    def settle(self, known: Known) -> None:
        if known.spent:
            self.failures = 0
        elif known.failed:
            self.failures, self.failed_at = min(100, self.remembered() + known.failed), self.now

    def remembered(self) -> int:
        """Failures since the last success, minus ten for each full day without one."""
        return max(0, self.failures - 10 * int((self.now - self.failed_at) // 86_400))

    @rule(target=sent, allowance=ALLOWANCES, channel=CHANNELS, after=WAITS, failure=FAILURES)
    def send(self, allowance: Allowance, channel: str, after: int, failure: str | None) -> Any:
        self.wait(after)
        issued = self.issue(allowance, channel, None)
        return self.made(issued, None, failure) if issued else multiple()

    @rule(
        target=sent,
        allowance=ALLOWANCES,
        channel=CHANNELS,
        replaced=sent,
        wrong=st.integers(0, 4),
        after=SHORT_WAITS,
        failure=FAILURES,
    )
    def resend(
        self,
        *,
        allowance: Allowance,
        channel: str,
        replaced: Sent,
        wrong: int,
        after: int,
        failure: str | None,
    ) -> Any:
        for _ in range(wrong):
            self.judge(replaced, "wrong")
        self.wait(after)
        known = self.there.get(replaced.verification_id)
        again = known is not None and known.is_sent_again(self.now)
        issued = self.issue(allowance, channel, replaced.verification_id)
        if issued is None:
            return multiple()
        assert issued.is_resend == again
        if known and again:
            self.sent_again(known, replaced, issued, failure)
            return multiple()
        fresh = self.made(issued, replaced.verification_id, failure)
        assert self.check(replaced, replaced.code) == (False, 0), "a replaced code is still valid"
        return fresh

    def sent_again(
        self, known: Known, sent: Sent, issued: IssuedVerification, failure: str | None
    ) -> None:
        """Model of a resend: only the channel changes, and only if it does not fail."""
        assert (issued.verification.verification_id, issued.code) == sent
        if failure:
            self.fail(issued, failure)
        else:
            known.channel = issued.request.destination.channel

    @rule(
        tried=sent,
        wrong=st.integers(0, 6),
        right=st.integers(0, 2),
        signatures=st.lists(SIGNATURES, min_size=8, max_size=8),
        after=st.sampled_from((0, 0, *EDGES)),
    )
    def check_some(
        self, tried: Sent, wrong: int, right: int, signatures: list[str | None], after: int
    ) -> None:
        self.wait(after)
        codes = ["wrong"] * wrong + [tried.code] * right
        for code, signature in zip(codes, signatures, strict=False):
            self.judge(tried, code, signature)

    @rule(tried=sent, other=sent)
    def check_with_the_code_of_another(self, tried: Sent, other: Sent) -> None:
        self.judge(tried, other.code)

    def judge(self, tried: Sent, code: str, signature: str | None = None) -> None:
        known = self.there.get(tried.verification_id)
        spent = known is not None and known.spent
        expected = known.answers(code, self.now, signature) if known else (False, 0)
        assert self.check(tried, code, signature) == expected
        if known and known.spent and not spent:
            self.valid_at = self.now

    def check(self, tried: Sent, code: str, signature: str | None = None) -> tuple[bool, int]:
        mac = code_keys().mac(tried.verification_id, code)
        verdict = check(tried.verification_id, mac, self.now, signature)
        return verdict.valid, verdict.attempts_left

    @rule(ended=sent, fires=st.integers(1, 2))
    def the_schedule_fires(self, ended: Sent, fires: int) -> None:
        """Fires once or twice, early or late: nothing depends on the time."""
        known = self.there.pop(ended.verification_id, None)
        assert [settlement.delete(ended.verification_id, self.now) for _ in range(fires)] == [
            known is not None,
            False,
        ][:fires]
        if known:
            self.settle(known)

    @rule(ended=sent)
    def the_schedule_crashes_before_it_writes(self, ended: Sent) -> None:
        """The process is killed after its read: nothing has changed, and the next try does it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settlement, "_settle", self.crash)
            if ended.verification_id in self.there:
                with pytest.raises(Crash):
                    settlement.delete(ended.verification_id, self.now)

    @rule(allowance=ALLOWANCES, channel=CHANNELS)
    def a_send_crashes_before_its_message(self, allowance: Allowance, channel: str) -> None:
        """The verification exists, but nobody has its id: its schedule ends it."""
        issued = self.issue(allowance, channel, None)
        if issued:
            self.the_schedule_fires(self.made(issued, None, None), 1)

    @rule(resent=sent, allowance=ALLOWANCES, channel=CHANNELS)
    def a_resend_crashes_before_its_message(
        self, resent: Sent, allowance: Allowance, channel: str
    ) -> None:
        """The code that was sent before is valid as ever; only the channel is that of the crash."""
        known = self.there.get(resent.verification_id)
        if known and known.is_sent_again(self.now):
            issued = self.issue(allowance, channel, resent.verification_id)
            if issued:
                self.sent_again(known, resent, issued, None)

    @rule(gone=consumes(sent))
    def ttl_takes_it_first(self, gone: Sent) -> None:
        """Nothing settles it, so in the end its attempts count as failed."""
        if self.there.pop(gone.verification_id, None):
            Verification(gone.verification_id).delete()
            self.lost = True

    def wait(self, seconds: int) -> None:
        self.now += seconds
        too_late = DELETE_SECONDS - VALID_SECONDS + SETTLEMENT_SECONDS
        self.lost |= any(self.now > known.expires_at + too_late for known in self.there.values())

    @staticmethod
    def crash(*_: Any, **__: Any) -> None:
        raise Crash

    def history(self) -> SendHistory:
        key = sending.destination_key(read_destination("sms", DESTINATION))
        found = [limit for limit in SendLimitRecord.scan() if limit.limit_key == key]
        return found[0].read_history() if found else SendHistory()

    @invariant()
    def what_is_stored_is_what_the_model_has(self) -> None:
        if hasattr(self, "there"):
            assert self.stored() == {
                key: (known.tried, known.spent, known.channel) for key, known in self.there.items()
            }

    @invariant()
    def reservations_are_those_of_what_is_there(self) -> None:
        if hasattr(self, "there") and not self.lost:
            assert self.history().reserved == sum(
                MAX_ATTEMPTS - known.carried for known in self.there.values()
            )

    @invariant()
    def the_failures_are_those_of_what_has_ended(self) -> None:
        if hasattr(self, "there") and not self.lost:
            assert self.history().failures_at(self.now) == self.remembered()

    @invariant()
    def the_failure_count_errs_on_the_safe_side_only(self) -> None:
        """The count is never below the failures and open attempts, even after a lost settlement."""
        if hasattr(self, "there"):
            tried = sum(known.failed for known in self.there.values() if not known.spent)
            assert (
                self.history().failure_count(self.now) >= min(100, self.remembered() + tried)
                or self.lost
            )


TestVerifications = Verifications.TestCase
TestVerifications.settings = settings(
    max_examples=size(5, 40),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
