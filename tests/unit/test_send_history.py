"""Rules on one destination, tested on the value alone."""

from collections.abc import Iterable

import msgspec
import pytest

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.verification.limits.send_history import SendHistory
from functions.core.verification.limits.sends import (
    Allowance,
    Send,
    Sender,
    SendRules,
    network_share,
)

RULES = SendRules(cooldown_seconds=60, per_hour=5, per_day=10)
NOW = 1_000_000_000.0
UNTIL = NOW + 900


def sent(
    history: SendHistory,
    now: float = NOW,
    allowance: Allowance = "publishable",
    *,
    channel: str = "sms",
    network: int | None = None,
    verification_id: str | None = None,
) -> SendHistory:
    send = Send(now, allowance, channel, network, verification_id)
    return history.sent(send).reserving(5, until=now + 900)


def sent_at(
    times: Iterable[float], allowance: Allowance = "publishable", network: int | None = None
) -> SendHistory:
    return SendHistory(sends=tuple(Send(time, allowance, "sms", network) for time in times))


def waits(
    history: SendHistory,
    now: float,
    allowance: Allowance = "publishable",
    channel: str = "sms",
    network: int | None = None,
) -> list[object]:
    refusal = history.refusal(Sender(allowance, channel, network), RULES, now)
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
        now = history.opens_at(Sender("publishable", "sms"), RULES, now)
    assert gaps == [60, 120, 240, 480]


def test_five_sends_in_an_hour_are_the_most() -> None:
    history = sent_at(NOW - age for age in (3500, 3400, 3300, 3200, 3100))
    assert waits(history, NOW) == ["destination-hour", 100]


def test_ten_sends_in_a_day_are_the_most() -> None:
    history = sent_at(NOW - HOUR_SECONDS * hours for hours in range(23, 3, -2))
    assert waits(history, NOW) == ["destination-day", HOUR_SECONDS]


def test_the_one_allowance_does_not_use_up_the_other() -> None:
    history = sent(SendHistory())
    assert waits(history, NOW) != []
    assert waits(history, NOW, "secret") == []


def test_a_day_later_sends_are_forgotten() -> None:
    history = sent(SendHistory())
    later = sent(history, NOW + DAY_SECONDS + 1)
    assert len(later.sends) == 1


def test_a_refund_forgets_one_send() -> None:
    history = sent(sent(SendHistory(), NOW), NOW + 200)
    assert [send.at for send in history.refunded(history.sends[1]).sends] == [NOW]


def test_each_channel_has_a_cooldown_of_its_own() -> None:
    history = sent(sent(SendHistory(), NOW - 30), NOW, channel="voice")
    assert waits(history, NOW) == ["cooldown", 30]
    assert waits(history, NOW, channel="voice") == ["cooldown", 60]
    assert waits(history, NOW, channel="whatsapp") == []


def test_the_hour_counts_all_channels() -> None:
    history = sent_at(NOW - age for age in (3500, 3400, 3300, 3200, 3100))
    assert waits(history, NOW, channel="voice") == ["destination-hour", 100]


def test_a_valid_check_ends_the_cooldown_of_sends_before_it() -> None:
    history = sent(sent(SendHistory(), NOW), NOW + 60).validated(NOW + 70)
    assert waits(history, NOW + 71) == []
    again = sent(history, NOW + 71)
    assert waits(again, NOW + 71) == ["cooldown", 60], "the gap starts again from the first one"


def test_a_valid_check_leaves_hour_and_day_as_they_are() -> None:
    history = sent_at(NOW - age for age in (3500, 3400, 3300, 3200, 3100)).validated(NOW)
    assert waits(history, NOW) == ["destination-hour", 100]


def test_a_valid_check_of_an_earlier_send_does_not_end_the_cooldown_of_a_later_one() -> None:
    history = sent(sent(SendHistory(), NOW), NOW + 60).validated(NOW + 30)
    assert waits(history, NOW + 61) == ["cooldown", 59]


def test_a_settled_success_ends_the_cooldown_too() -> None:
    history = sent(SendHistory()).settled(NOW + 20, attempts=5, failed=0, valid_at=NOW + 10)
    assert waits(history, NOW + 20) == []


def awaited(history: SendHistory, now: float) -> set[str]:
    return set(history.awaited(Sender("publishable", "sms"), RULES, now))


def test_only_the_cooldown_can_be_ended_by_a_valid_check() -> None:
    """Nothing is looked up where the send is allowed, or where another limit refuses it."""
    history = sent(SendHistory(), verification_id="k1.a")
    assert awaited(history, NOW + 61) == set()
    assert awaited(history, NOW + 10) == {"k1.a"}
    full = sent_at(NOW - age for age in (3500, 3400, 3300, 3200))
    assert awaited(sent(full, NOW, verification_id="k1.a"), NOW + 10) == set()
    assert awaited(sent(failed(100), verification_id="k1.a"), NOW + 10) == set()


def test_all_verifications_since_the_last_valid_check_are_looked_up() -> None:
    history = sent(SendHistory(), NOW - 4000, verification_id="k1.old")
    history = sent(history, NOW - 300, verification_id="k1.valid").validated(NOW - 290)
    history = sent(history, NOW - 200, verification_id="k1.a")
    history = sent(history, NOW - 100, "secret", channel="voice", verification_id="k1.b")
    assert awaited(history, NOW - 190) == {"k1.a", "k1.b"}


def test_a_network_uses_up_three_of_five_and_another_still_sends() -> None:
    history = sent_at((NOW - age for age in (3500, 3400, 3300)), network=7)
    assert waits(history, NOW, network=7) == ["destination-hour-network", 100]
    assert waits(history, NOW, network=8) == []
    assert waits(history, NOW) == []
    history = sent(history, NOW - 3200, network=8)
    assert waits(history, NOW, network=8) == []
    history = sent(history, NOW - 3100, network=8)
    assert waits(history, NOW, network=9) == ["destination-hour", 100]


def test_a_network_uses_up_six_of_ten_a_day() -> None:
    history = sent_at((NOW - HOUR_SECONDS * hours for hours in range(20, 8, -2)), network=7)
    assert waits(history, NOW, network=7) == ["destination-day-network", 4 * HOUR_SECONDS]
    assert waits(history, NOW, network=8) == []


def test_servers_have_no_networks() -> None:
    history = sent_at((NOW - age for age in (3500, 3400, 3300)), "secret", network=7)
    assert waits(history, NOW, "secret", network=7) == []


def test_a_network_never_has_all_of_an_allowance_unless_that_is_one() -> None:
    assert [network_share(limit) for limit in (1, 2, 3, 4, 5, 6, 10, 20)] == [
        *(1, 1, 2, 3, 3, 4, 6, 12),
    ]
    assert all(0 < network_share(limit) < limit for limit in range(2, 1000))


EARLIER = (
    b'{"publishable":[999999900.5,999999990.0],"secret":[999999950.0],"failures":3,'
    b'"failed_at":999990000.0,"reserved":10,"reserved_until":1000007200.0}'
)
"""History as earlier releases wrote it."""


def test_a_history_of_an_earlier_release_is_read() -> None:
    history = msgspec.json.decode(EARLIER, type=SendHistory)
    assert history.sends == (
        Send(NOW - 99.5, "publishable"),
        Send(NOW - 50, "secret"),
        Send(NOW - 10, "publishable"),
    )
    assert (history.failures, history.reserved) == (3, 10)
    assert waits(history, NOW, channel="voice", network=7) == ["cooldown", 110]
    assert waits(history, NOW, "secret") == ["cooldown", 10]
    assert len(sent(history, NOW + DAY_SECONDS).sends) == 1


def test_an_earlier_release_reads_a_history_of_this_one() -> None:
    """After a rollback it knows failures; sends are counted anew."""

    class Earlier(msgspec.Struct):
        publishable: tuple[float, ...] = ()
        secret: tuple[float, ...] = ()
        failures: int = 0
        reserved: int = 0

    text = msgspec.json.encode(sent(failed(3)))
    assert msgspec.json.decode(text, type=Earlier) == Earlier(failures=3, reserved=5)


def test_a_history_comes_back_as_it_was_stored() -> None:
    history = sent(failed(3), NOW + 0.123456, network=65535, verification_id="k1.d6A")
    assert msgspec.json.decode(msgspec.json.encode(history), type=SendHistory) == history


def test_a_full_history_stays_small() -> None:
    history = failed(50).validated(NOW + 0.123456)
    for number in range(20):
        history = sent(
            history,
            NOW + number * HOUR_SECONDS + 0.123456,
            "secret" if number % 2 else "publishable",
            channel="whatsapp",
            network=65535,
            verification_id="k12.d6AAAAAAAAAAAAAAAAAAAAAA",
        )
    assert len(history.sends) == 20
    assert len(msgspec.json.encode(history)) < 1500


def test_a_send_reserves_its_attempts_and_its_end_settles_them() -> None:
    history = sent(failed(2))
    assert history.failure_count(NOW) == 7
    assert history.settled(NOW, attempts=5, failed=1, valid_at=None).failure_count(NOW) == 3


def test_a_success_resets_the_count_but_not_what_others_hold() -> None:
    history = sent(sent(failed(20)), NOW + 100)
    after = history.settled(NOW + 200, attempts=5, failed=2, valid_at=NOW + 150)
    assert (after.failures, after.reserved, after.failure_count(NOW + 200)) == (0, 5, 5)


def test_an_untried_verification_leaves_the_count_and_its_day_as_they_were() -> None:
    history = sent(failed(20, at=NOW - 100))
    after = history.settled(NOW + 900, attempts=5, failed=0, valid_at=None)
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
    history = sent(failed(98)).settled(NOW, attempts=5, failed=5, valid_at=None)
    assert history.failure_count(NOW) == 100
    assert history.failure_count(NOW + DAY_SECONDS) == 90


def test_attempts_that_may_still_fail_refuse_until_they_are_settled() -> None:
    history = sent(failed(96))
    assert waits(history, NOW + 600)[0] == "failed-checks"
    assert waits(history.settled(NOW + 600, attempts=5, failed=0, valid_at=None), NOW + 600) == []


def test_a_history_is_kept_as_long_as_it_matters() -> None:
    assert failed(100).keep_until(NOW) - NOW >= 12 * DAY_SECONDS
    assert SendHistory().keep_until(NOW) - NOW >= DAY_SECONDS
