"""Rules on one destination, tested on the value alone."""

import pytest

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.verification.limits.send_history import Allowance, SendHistory, SendRules

RULES = SendRules(cooldown_seconds=60, per_hour=5, per_day=10)
NOW = 1_000_000_000.0
UNTIL = NOW + 900


def sent(
    history: SendHistory, now: float = NOW, allowance: Allowance = "publishable", attempts: int = 5
) -> SendHistory:
    return history.sent(allowance, now, attempts=attempts, until=now + 900)


def waits(history: SendHistory, now: float, allowance: Allowance = "publishable") -> list[object]:
    refusal = history.refusal(allowance, RULES, now)
    return [refusal.policy.name, refusal.opens_at - now] if refusal else []


def failed(count: int, at: float = NOW) -> SendHistory:
    return SendHistory(failures=count, failed_at=at)


def test_the_first_send_waits_for_nothing() -> None:
    assert waits(SendHistory(), NOW) == []


def test_the_gap_between_sends_doubles_within_an_hour() -> None:
    history, now, gaps = SendHistory(), NOW, []
    for _ in range(4):
        history = sent(history, now)
        gaps.append(waits(history, now)[1])
        now = history.opens_at("publishable", RULES, now)
    assert gaps == [60, 120, 240, 480]


def test_five_sends_in_an_hour_are_the_most() -> None:
    history = SendHistory(publishable=tuple(NOW - age for age in (3500, 3400, 3300, 3200, 3100)))
    assert waits(history, NOW) == ["destination-hour", 100]


def test_ten_sends_in_a_day_are_the_most() -> None:
    history = SendHistory(
        publishable=tuple(NOW - HOUR_SECONDS * hours for hours in range(23, 3, -2))
    )
    assert waits(history, NOW) == ["destination-day", HOUR_SECONDS]


def test_the_one_allowance_does_not_use_up_the_other() -> None:
    history = sent(SendHistory())
    assert waits(history, NOW) != []
    assert waits(history, NOW, "secret") == []


def test_a_day_later_sends_are_forgotten() -> None:
    history = sent(SendHistory())
    later = sent(history, NOW + DAY_SECONDS + 1)
    assert len(later.publishable) == 1


def test_a_refund_forgets_one_send() -> None:
    history = sent(sent(SendHistory(), NOW), NOW + 200)
    assert history.refunded("publishable", NOW + 200).publishable == (NOW,)


def test_a_send_reserves_its_attempts_and_its_end_settles_them() -> None:
    history = sent(failed(2))
    assert history.failure_count(NOW) == 7
    assert history.settled(NOW, attempts=5, failed=1, succeeded=False).failure_count(NOW) == 3


def test_a_success_resets_the_count_but_not_what_others_hold() -> None:
    history = sent(sent(failed(20)), NOW + 100)
    after = history.settled(NOW + 200, attempts=5, failed=2, succeeded=True)
    assert (after.failures, after.reserved, after.failure_count(NOW + 200)) == (0, 5, 5)


def test_an_untried_verification_leaves_the_count_and_its_day_as_they_were() -> None:
    history = sent(failed(20, at=NOW - 100))
    after = history.settled(NOW + 900, attempts=5, failed=0, succeeded=False)
    assert (after.failures, after.failed_at) == (20, NOW - 100)


def test_unsettled_attempts_count_as_failed() -> None:
    history = sent(failed(2))
    assert history.failure_count(UNTIL + 1) == 7
    assert history.failure_count(UNTIL + 400 * DAY_SECONDS) == 0
    assert sent(history, UNTIL + 1).failure_count(UNTIL + 1) == 12


@pytest.mark.parametrize(
    ("days", "count"), [(0.9, 95), (1, 85), (3.5, 65), (9, 5), (10, 0), (99, 0)]
)
def test_each_day_without_a_failure_forgets_ten(days: float, count: int) -> None:
    assert failed(95).failure_count(NOW + days * DAY_SECONDS) == count


def test_at_100_publishable_tokens_are_refused_for_a_day_and_secret_ones_are_not() -> None:
    history = failed(100)
    assert waits(history, NOW + 1) == ["failed-checks", DAY_SECONDS - 1]
    assert waits(history, NOW + 1, "secret") == []
    assert waits(history, NOW + DAY_SECONDS) == []


def test_the_count_stops_at_100_so_that_a_day_opens_it_again() -> None:
    history = sent(failed(98)).settled(NOW, attempts=5, failed=5, succeeded=False)
    assert history.failure_count(NOW) == 100
    assert history.failure_count(NOW + DAY_SECONDS) == 90


def test_attempts_that_may_still_fail_refuse_until_they_are_settled() -> None:
    history = sent(failed(96))
    assert waits(history, NOW + 600)[0] == "failed-checks"
    assert waits(history.settled(NOW + 600, attempts=5, failed=0, succeeded=False), NOW + 600) == []


def test_a_history_is_kept_as_long_as_it_matters() -> None:
    assert failed(100).keep_until(NOW) - NOW >= 12 * DAY_SECONDS
    assert SendHistory().keep_until(NOW) - NOW >= DAY_SECONDS
