"""Verifications against a model, one call at a time; e2e/test_storms.py has parallel calls.

Send, check, resend, delete, a schedule that is late or fires twice, a crash between steps, a record
that TTL removed first, and a clock that stops at the boundaries.
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
from functions.core.verification.codes import code_keys
from functions.core.verification.destinations import read_destination
from functions.core.verification.issue import (
    SETTLEMENT_SECONDS,
    IssuedVerification,
    SendRequest,
    issue,
)
from functions.core.verification.limits import sending
from functions.core.verification.limits.send_history import Allowance, SendHistory
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification, check
from tests.sizes import size
from tests.workflows.conftest import Settings, account

pytestmark = pytest.mark.soak

DESTINATION = "ana@example.com"
VALID_SECONDS, DELETE_SECONDS, MAX_ATTEMPTS = 600, 900, 5
EDGES = (59, 60, 599, 600, 601, 899, 900, 901)
WAITS = st.sampled_from((60, 61, 240, 600, 3600, 3600, 3600, 86_400))
ALLOWANCES: Any = st.sampled_from(["publishable", "secret"])


class Crash(Exception):
    """The process is killed here."""


class Sent(NamedTuple):
    verification_id: str
    code: str


class Known:
    """The model's state of one verification."""

    def __init__(self, issued: IssuedVerification, carried: int, now: float) -> None:
        self.code = issued.code
        self.carried = carried
        self.tried = carried
        self.expires_at = now + VALID_SECONDS
        self.spent = False

    def answers(self, code: str, now: float) -> tuple[bool, int]:
        """Expected answer of a check; charges the attempt."""
        if self.spent or self.tried >= MAX_ATTEMPTS or now >= self.expires_at:
            return False, 0
        self.tried += 1
        self.spent = code == self.code
        return self.spent, MAX_ATTEMPTS - self.tried

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
        self.lost = False
        """Whether a reservation may have ended without its settlement.

        Either TTL was first, or the schedule was hours late.
        """

    def teardown(self) -> None:
        if hasattr(self, "account"):
            self.account.__exit__(None, None, None)
            self.monkeypatch.undo()

    def issue(self, allowance: Allowance, resend_of: str | None) -> Any:
        destination = read_destination("email", DESTINATION)
        request = SendRequest(destination=destination, allowance=allowance, resend_of=resend_of)
        before = {each.verification_id: each.attempts for each in Verification.scan()}
        try:
            issued = issue(request, self.now)
        except (LimitExceeded, AttemptsExhausted):
            assert {
                each.verification_id: each.attempts for each in Verification.scan()
            } == before, "a refusal changed something"
            return multiple()
        carried = self.replace(resend_of)
        verification_id = str(issued.verification.verification_id)
        self.there[verification_id] = Known(issued, carried, self.now)
        return Sent(verification_id, issued.code)

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

    @rule(target=sent, allowance=ALLOWANCES, after=WAITS)
    def send(self, allowance: Allowance, after: int) -> Any:
        self.wait(after)
        return self.issue(allowance, None)

    @rule(target=sent, allowance=ALLOWANCES, replaced=sent, wrong=st.integers(0, 4), after=WAITS)
    def resend(self, allowance: Allowance, replaced: Sent, wrong: int, after: int) -> Any:
        for _ in range(wrong):
            self.judge(replaced, "wrong")
        self.wait(after)
        fresh = self.issue(allowance, replaced.verification_id)
        if isinstance(fresh, Sent):
            assert self.check(replaced, replaced.code) == (False, 0), (
                "a replaced code is still valid"
            )
            self.judge(fresh, "wrong")
        return fresh

    @rule(
        tried=sent,
        wrong=st.integers(0, 6),
        right=st.booleans(),
        after=st.sampled_from((0, 0, *EDGES)),
    )
    def check_some(self, tried: Sent, wrong: int, right: bool, after: int) -> None:  # noqa: FBT001 - drawn by Hypothesis
        self.wait(after)
        for code in ["wrong"] * wrong + [tried.code] * right:
            self.judge(tried, code)

    @rule(tried=sent, other=sent)
    def check_with_the_code_of_another(self, tried: Sent, other: Sent) -> None:
        self.judge(tried, other.code)

    def judge(self, tried: Sent, code: str) -> None:
        known = self.there.get(tried.verification_id)
        expected = known.answers(code, self.now) if known else (False, 0)
        assert self.check(tried, code) == expected

    def check(self, tried: Sent, code: str) -> tuple[bool, int]:
        verdict = check(
            tried.verification_id, code_keys().mac(tried.verification_id, code), self.now
        )
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

    @rule(allowance=ALLOWANCES)
    def a_send_crashes_before_its_message(self, allowance: Allowance) -> None:
        """The verification exists, but nobody has its id: its schedule ends it."""
        crashed = self.issue(allowance, None)
        if isinstance(crashed, Sent):
            self.the_schedule_fires(crashed, 1)

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
        key = sending.destination_key(read_destination("email", DESTINATION))
        found = [limit for limit in SendLimitRecord.scan() if limit.limit_key == key]
        return found[0].read_history() if found else SendHistory()

    @invariant()
    def what_is_stored_is_what_the_model_has(self) -> None:
        if hasattr(self, "there"):
            stored = {
                each.verification_id: (each.attempts, each.spent) for each in Verification.scan()
            }
            assert stored == {key: (known.tried, known.spent) for key, known in self.there.items()}

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
