"""Send limits and the failure budget, through the workflows and their tables."""

from functools import partial
from typing import Any

import pytest

from functions.core.clock import DAY_SECONDS
from functions.core.verification.destinations import read_destination
from functions.core.verification.issuing import issue
from functions.core.verification.limits import sending
from functions.core.verification.limits.send_history import REFUSED_FROM, SendHistory
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification
from tests.builders import verifications
from tests.builders.verifications import check, end, guess, last_code
from tests.workflows.conftest import Clock, Settings, sent_emails

pytestmark = pytest.mark.usefixtures("cloud", "early_in_a_day")

send = partial(verifications.send, kind="publishable")
"""Sends for a stranger, unless a test says otherwise."""


def the_history() -> SendHistory:
    (history,) = [limit.read_history() for limit in SendLimitRecord.scan() if limit.history]
    return history


def remember(failures: int, at: float) -> None:
    """Sets the destination's failed checks as of a time."""
    key = sending.destination_key(read_destination("email", "ana@example.com"))
    SendLimitRecord(key).with_history(SendHistory(failures=failures, failed_at=at), at).save()


def test_a_refusal_names_its_limit_in_the_ratelimit_fields() -> None:
    send()
    reply = send()
    assert reply.status == 429
    seconds = reply.headers["retry-after"]
    assert reply.headers["ratelimit-policy"] == '"cooldown";q=1;w=60'
    assert reply.headers["ratelimit"] == f'"cooldown";r=0;t={seconds}'


def test_strangers_do_not_use_up_the_allowance_of_servers() -> None:
    send(kind="publishable")
    assert send(kind="publishable").status == 429
    assert send(kind="secret").status == 200


def test_a_stranger_at_the_full_rate_does_not_stop_whoever_holds_a_code(clock: Clock) -> None:
    """An attacker sends and guesses as often as the limits allow.

    The victim's code, sent before, stays valid for its ten minutes.
    """
    held, code = send(kind="publishable").body["verification_id"], last_code()
    for _ in range(8):
        clock.advance(61)
        attack = send(kind="publishable", ip="203.0.113.9")
        for _ in range(6 if attack.status == 200 else 0):
            guess(attack.body["verification_id"])
    assert check(held, code).body["valid"] is True


def attack_until_refused(clock: Clock) -> None:
    """Sends and guesses all that a publishable token allows, until failures block it."""
    for _ in range(200):
        reply = send(kind="publishable", ip="203.0.113.9")
        if reply.status == 200:
            for _ in range(5):
                guess(reply.body["verification_id"])
            end(reply.body["verification_id"])
        elif "failed-checks" in reply.headers["ratelimit"]:
            return
        else:
            clock.advance(int(reply.headers["retry-after"]))
    raise AssertionError("the attack was never refused")


def test_a_stranger_at_the_full_rate_does_not_stop_whoever_is_served_by_a_server(
    clock: Clock,
) -> None:
    started = clock()
    attack_until_refused(clock)
    assert clock() - started > DAY_SECONDS, "100 failures must take more than a day"
    served = send(kind="secret")
    assert (served.status, served.body["code_length"]) == (200, 6)
    assert check(served.body["verification_id"], last_code()).body["valid"] is True


def test_failures_outlive_records_and_resends(clock: Clock) -> None:
    for _ in range(3):
        reply = send(kind="secret")
        for _ in range(5):
            guess(reply.body["verification_id"])
        end(reply.body["verification_id"])
        clock.advance(3601)
    assert list(Verification.scan()) == []
    assert the_history().failures == 15


def test_codes_keep_their_length_over_sends_that_nobody_answers(clock: Clock) -> None:
    for _ in range(10):
        reply = send(kind="secret")
        assert (reply.status, reply.body["code_length"], len(last_code())) == (200, 6, 6)
        clock.advance(3601)


@pytest.mark.parametrize("failures", [0, 9, 10, 30, REFUSED_FROM - 1, REFUSED_FROM])
@pytest.mark.parametrize("length", [6, 8])
def test_codes_keep_their_length_over_failures(
    length: int, failures: int, clock: Clock, settings: Settings
) -> None:
    settings.set(CODE_LENGTH=length)
    remember(failures, clock())
    reply = send(kind="secret")
    assert (reply.body["code_length"], len(last_code())) == (length, length)


def test_a_success_resets_the_count_when_its_verification_ends(clock: Clock) -> None:
    remember(10, clock())
    reply = send(kind="secret")
    check(reply.body["verification_id"], last_code())
    assert the_history().failures == 10
    end(reply.body["verification_id"])
    assert (the_history().failures, the_history().reserved) == (0, 0)


def test_at_100_failures_publishable_tokens_are_refused_and_a_day_later_they_are_not(
    clock: Clock,
) -> None:
    remember(REFUSED_FROM, clock())
    refused = send(kind="publishable")
    assert (refused.status, refused.headers["ratelimit-policy"]) == (
        429,
        f'"failed-checks";q=100;w={DAY_SECONDS}',
    )
    assert DAY_SECONDS - 60 < int(refused.headers["retry-after"]) <= DAY_SECONDS
    clock.advance(DAY_SECONDS + 1)
    assert send(kind="publishable").status == 200


def test_a_deletion_that_fires_twice_settles_once() -> None:
    verification_id = send(kind="secret").body["verification_id"]
    guess(verification_id)
    end(verification_id)
    end(verification_id)
    assert (the_history().failures, the_history().reserved) == (1, 0)


def test_a_replaced_verification_counts_each_attempt_once(clock: Clock) -> None:
    first = send(kind="secret").body["verification_id"]
    guess(first)
    guess(first)
    clock.advance(500)
    second = send(kind="secret", resend_of=first).body["verification_id"]
    assert (the_history().failures, the_history().reserved) == (2, 3)
    guess(second)
    end(second)
    assert (the_history().failures, the_history().reserved) == (3, 0)


def test_a_resend_to_another_destination_kills_the_code_and_hands_on_no_attempts() -> None:
    first, code = send("anna@example.com", kind="secret").body["verification_id"], last_code()
    guess(first)
    second = send("ana@example.com", kind="secret", resend_of=first).body["verification_id"]
    assert check(first, code).body == check("k1.unknown", code).body
    assert guess(second).body["attempts_left"] == 4


def test_a_phones_channels_share_its_history() -> None:
    """A switch from SMS to a call does not bypass the limits of a number."""
    sms = read_destination("sms", "+14155550123")
    call_ = read_destination("voice", "+14155550123")
    assert sending.destination_key(sms) == sending.destination_key(call_)


def test_a_send_that_failed_reserves_nothing(settings: Settings) -> None:
    settings.set(EMAIL_FROM="unverified@example.org")
    assert send(kind="secret").status == 502
    assert (the_history().reserved, the_history().sends) == (0, ())


@pytest.mark.parametrize("kind", ["publishable", "secret"])
def test_a_valid_check_ends_the_cooldown(kind: str) -> None:
    held = send(kind=kind).body["verification_id"]
    assert send(kind=kind).status == 429
    check(held, last_code())
    assert send(kind=kind).status == 200
    assert send(kind=kind).headers["ratelimit-policy"] == '"cooldown";q=1;w=60'


def test_a_wrong_check_does_not_end_the_cooldown(dynamodb_requests: list[str]) -> None:
    guess(send().body["verification_id"])
    dynamodb_requests.clear()
    assert send().status == 429
    assert dynamodb_requests == ["BatchGetItem", "BatchGetItem"]


def test_a_valid_check_that_is_settled_ends_the_cooldown_without_another_request(
    dynamodb_requests: list[str],
) -> None:
    held = send().body["verification_id"]
    check(held, last_code())
    end(held)
    dynamodb_requests.clear()
    assert send().status == 200
    assert dynamodb_requests == ["BatchGetItem", "TransactWriteItems"]


def test_a_valid_check_does_not_end_hour_or_day(clock: Clock, dynamodb_requests: list[str]) -> None:
    for _ in range(3):
        held = send().body["verification_id"]
        check(held, last_code())
        clock.advance(1)
    dynamodb_requests.clear()
    refused = send()
    assert refused.headers["ratelimit-policy"] == '"destination-hour-network";q=3;w=3600'
    assert dynamodb_requests == ["BatchGetItem"]


ATTACKER = "203.0.113.9"


def test_a_network_leaves_an_owner_elsewhere_two_sends_an_hour(clock: Clock) -> None:
    for seconds in (0, 61, 121):
        clock.advance(seconds)
        assert send(ip=ATTACKER).status == 200
    clock.advance(241)
    refused = [send(ip=each) for each in (ATTACKER, "203.0.113.200")]
    assert {reply.headers["ratelimit-policy"] for reply in refused} == {
        '"destination-hour-network";q=3;w=3600'
    }
    owned = send(ip="192.0.2.1").body["verification_id"]
    assert check(owned, last_code()).body["valid"] is True
    assert send(ip="192.0.2.1").status == 200
    assert send(ip="198.51.100.1").status == 429


def test_a_network_leaves_an_owner_elsewhere_four_sends_a_day(clock: Clock) -> None:
    for _ in range(6):
        assert send(ip=ATTACKER).status == 200
        clock.advance(3601)
    refused = send(ip=ATTACKER)
    assert refused.headers["ratelimit-policy"] == f'"destination-day-network";q=6;w={DAY_SECONDS}'
    assert send(ip="192.0.2.1").status == 200


def test_many_people_of_one_network_do_not_share_a_destinations_share(clock: Clock) -> None:
    """The share counts the sends to one destination, so people behind one address have each a
    destination of their own.
    """
    for number in range(10):
        assert send(f"person{number}@example.com", ip=ATTACKER).status == 200
        clock.advance(1)


def test_a_history_knows_networks_by_pseudonyms_of_its_own() -> None:
    send("ana@example.com", ip="192.0.2.77")
    send("bo@example.com", ip="192.0.2.77")
    texts = [str(limit.history) for limit in SendLimitRecord.scan() if limit.history]
    networks = {
        limit.read_history().sends[0].network for limit in SendLimitRecord.scan() if limit.history
    }
    assert "192.0.2" not in "".join(texts)
    assert len(networks) == 2
    assert all(network is not None and 0 <= network < 2**16 for network in networks)


def test_a_history_of_an_earlier_release_is_heeded(clock: Clock) -> None:
    key = sending.destination_key(read_destination("email", "ana@example.com"))
    text = f'{{"publishable":[{clock() - 30}],"secret":[],"failures":2,"failed_at":{clock()}}}'
    SendLimitRecord(key, history=text, version=1, delete_at=int(clock()) + 999).save()
    assert send().headers["ratelimit-policy"] == '"cooldown";q=1;w=60'
    assert send(kind="secret").status == 200
    assert (len(the_history().sends), the_history().failures) == (2, 2)


def test_publishable_tokens_are_limited_by_client_address(settings: Settings) -> None:
    settings.set(IP_SENDS_PER_HOUR=2)
    statuses = [send(f"person{number}@example.com").status for number in range(3)]
    assert statuses == [200, 200, 429]
    assert send("person9@example.com", ip="192.0.2.2").status == 200
    assert send("person9@example.com", kind="secret").status == 200


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", 429),
        ("2001:db8::1", "2001:db8:0:1::1", 200),
        ("192.0.2.1", "::ffff:192.0.2.1", 429),
        ("192.0.2.1", "64:ff9b::192.0.2.1", 429),
        ("192.0.2.1", "192.0.2.2", 200),
    ],
)
def test_an_ipv4_client_is_its_address_an_ipv6_client_its_64(
    first: str, second: str, status: int, settings: Settings
) -> None:
    settings.set(IP_SENDS_PER_HOUR=1)
    send("ana@example.com", ip=first)
    assert send("bo@example.com", ip=second).status == status


@pytest.mark.parametrize(
    ("block", "policy"),
    [("2001:db8:0:{}::1", '"ip-56";q=4;w=3600'), ("2001:db8:0:{}00::1", '"ip-48";q=8;w=3600')],
)
def test_a_client_with_more_ipv6_than_a_64_gets_more_sends_but_not_for_each_64(
    block: str, policy: str, settings: Settings
) -> None:
    settings.set(IP_SENDS_PER_HOUR=2)
    replies = [send(f"person{number}@example.com", ip=block.format(number)) for number in range(9)]
    refused = [reply for reply in replies if reply.status == 429]
    assert refused[0].headers["ratelimit-policy"] == policy
    assert [reply.status for reply in replies].count(200) == int(policy.split("=")[1][0])
    assert send("person9@example.com", ip="2001:db8:1::1").status == 200


def test_a_server_passes_its_clients_address_on(settings: Settings) -> None:
    settings.set(IP_SENDS_PER_HOUR=1)
    send("ana@example.com", kind="secret", client_ip="192.0.2.7")
    assert send("bo@example.com", kind="secret", client_ip="192.0.2.7").status == 429
    assert send("bo@example.com", kind="secret").status == 200


def test_a_browser_cannot_say_from_which_address_it_calls() -> None:
    reply = send(client_ip="192.0.2.7")
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/client_ip")


@pytest.mark.parametrize(
    ("limit", "numbers", "policy"),
    [
        ("PREFIX_SENDS_PER_DAY", ["+14155550101", "+14155550102"], "prefix"),
        ("COUNTRY_SENDS_PER_DAY", ["+14155550101", "+12125550102"], "country"),
        ("SMS_PER_DAY", ["+14155550101", "+4915123456789"], "channel"),
        ("EMAILS_PER_DAY", ["ana@example.com", "bo@example.com"], "channel"),
    ],
)
def test_blocks_countries_and_channels_have_a_daily_ceiling(
    limit: str, numbers: list[str], policy: str, settings: Settings
) -> None:
    settings.set(**{limit: 1})
    assert send(numbers[0], kind="secret").status == 200
    refused = send(numbers[1], kind="secret")
    assert refused.status == 429
    assert refused.headers["ratelimit-policy"].startswith(f'"{policy}"')


@pytest.mark.parametrize(
    ("limit", "numbers", "policy"),
    [
        ("PREFIX_SENDS_PER_DAY", "+1415555010{}", "prefix"),
        ("COUNTRY_SENDS_PER_DAY", "+1415555{}101", "country"),
        ("SMS_PER_DAY", "+1415555{}101", "channel"),
        ("EMAILS_PER_DAY", "person{}@example.com", "channel"),
    ],
)
def test_strangers_leave_a_fifth_of_each_ceiling_to_servers(
    limit: str, numbers: str, policy: str, settings: Settings
) -> None:
    settings.set(**{limit: 5})
    people = (numbers.format(number) for number in range(10))
    assert [send(next(people)).status for _ in range(4)] == [200] * 4
    refused = send(next(people))
    assert (refused.status, refused.headers["ratelimit-policy"]) == (
        429,
        f'"{policy}";q=4;w={DAY_SECONDS}',
    )
    assert send(next(people), kind="secret", client_ip="192.0.2.9").status == 200
    refused = send(next(people), kind="secret")
    assert (refused.status, refused.headers["ratelimit-policy"]) == (
        429,
        f'"{policy}";q=5;w={DAY_SECONDS}',
    )


def test_sends_of_servers_count_for_strangers_too(settings: Settings) -> None:
    settings.set(EMAILS_PER_DAY=2)
    assert send("ana@example.com", kind="secret").status == 200
    assert send("bo@example.com").status == 429
    assert send("bo@example.com", kind="secret").status == 200


def test_a_client_refused_by_its_own_limit_uses_up_nothing_of_others(settings: Settings) -> None:
    settings.set(EMAILS_PER_DAY=3, IP_SENDS_PER_HOUR=2)
    send("ana@example.com")
    before = {limit.limit_key: limit.attribute_values for limit in SendLimitRecord.scan()}
    for _ in range(5):
        assert send("ana@example.com").status == 429
    assert {limit.limit_key: limit.attribute_values for limit in SendLimitRecord.scan()} == before
    assert send("bo@example.com").status == 200


def test_a_client_refused_by_a_shared_limit_uses_up_nothing_of_its_own(settings: Settings) -> None:
    settings.set(EMAILS_PER_DAY=1)
    send("ana@example.com")
    assert send("bo@example.com").status == 429
    settings.set(EMAILS_PER_DAY=10)
    assert send("bo@example.com").status == 200


def test_a_write_that_meets_another_reads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another send to the destination comes between this send's read and its write.

    This one reads again, and is refused.
    """
    write = issue._write
    sends: list[str] = []

    def interleaved(*arguments: Any) -> None:
        if not sends:
            sends.append("this one")
            assert send().status == 200
        write(*arguments)

    monkeypatch.setattr(issue, "_write", interleaved)
    assert send().status == 429
    assert len(sent_emails()) == 1
