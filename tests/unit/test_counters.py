from collections import Counter as Tally

import pytest

from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.rate_limits import counters

NOW = 1_000_000_000.0


def test_a_small_quota_is_one_item() -> None:
    keys = {counters.daily("country", "DE", 999, NOW).key for _ in range(50)}
    assert keys == {f"country#DE#{int(NOW // DAY_SECONDS)}#0"}


def test_the_shards_quotas_are_the_whole_quota() -> None:
    seen = {
        counter.key: counter.quota
        for counter in (counters.daily("channel", "sms", 10_007, NOW) for _ in range(2000))
    }
    assert len(seen) == counters.shard_count(10_007) == 20
    assert sum(seen.values()) == 10_007


def test_at_1000_sends_a_second_no_item_sees_more_than_a_few() -> None:
    """A deployment that may send so much all day has a quota of 86 million."""
    quota = 1000 * DAY_SECONDS
    second = Tally(counters.daily("channel", "email", quota, NOW).key for _ in range(1000))
    assert len(second) > 200
    assert max(second.values()) < 30


def test_a_window_ends_at_its_clock() -> None:
    counter = counters.hourly("ip", "x", 60, NOW)
    assert 0 < counter.ends_at - NOW <= HOUR_SECONDS
    assert counter.ends_at % HOUR_SECONDS == 0
    assert counters.hourly("ip", "x", 60, counter.ends_at).key != counter.key


@pytest.mark.parametrize(
    ("quota", "share"),
    [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (10, 8), (999, 799), (1000, 800), (10_007, 8005)],
)
def test_strangers_have_a_share_of_a_quota_and_never_all_of_it(quota: int, share: int) -> None:
    seen = {
        counter.key: counter.quota
        for counter in (
            counters.daily("channel", "sms", quota, NOW, publishable=True) for _ in range(2000)
        )
    }
    assert sum(seen.values()) == share < quota
    assert counters.daily("channel", "sms", quota, NOW, publishable=True).policy.quota == share


@pytest.mark.parametrize("quota", [2, 999, 1000, 10_007])
def test_strangers_and_servers_count_on_the_same_items(quota: int) -> None:
    """A quota of 1000 has two shards; the strangers' share alone would have one."""

    def keys(*, publishable: bool) -> set[tuple[str, bool]]:
        made = (
            counters.daily("channel", "sms", quota, NOW, publishable=publishable)
            for _ in range(2000)
        )
        return {(counter.key, counter.sharded) for counter in made}

    assert keys(publishable=True) == keys(publishable=False)
