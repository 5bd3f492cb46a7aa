"""SMS pumping and its lookalikes: which sends are refused, and what an operator is told."""

import json
from functools import partial

import pytest

from functions.core import clock as functions_clock
from functions.core.clock import DAY_SECONDS, HOUR_SECONDS
from functions.core.verification.limits import sending, sms_pumping
from functions.core.verification.limits.sending import SendLimitRecord
from functions.core.verification.record import Verification
from tests.builders import verifications
from tests.builders.verifications import check, end, last_code
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = pytest.mark.usefixtures("cloud", "early_in_a_day")

send = partial(verifications.send, kind="publishable")
"""Sends for a stranger, unless a test says otherwise."""

AREA_CODES = (
    201,
    202,
    203,
    205,
    206,
    207,
    208,
    209,
    210,
    212,
    213,
    214,
    215,
    216,
    217,
    218,
    219,
    220,
    224,
    225,
    228,
    229,
    231,
    234,
    239,
    240,
    248,
    251,
    252,
    253,
    254,
    256,
    260,
    262,
    267,
    269,
    270,
    272,
    276,
    281,
    301,
    302,
    303,
    304,
    305,
    307,
    308,
    309,
)


def note(network: int | None, *, valid: bool = False) -> None:
    """Counts an ended verification.

    A null network: a server's own send, or one of an earlier release.
    """
    verification = Verification(
        "k1.x",
        country="US",
        client_network=network,
        code_mac=b"right",
        last_mac=b"right" if valid else b"wrong",
    )
    sms_pumping.count_ended(verification, functions_clock.now())


def sent_before(sends: int, networks: int = 50, valid: int = 0) -> None:
    """Sets a count of strangers' sends that ended within this hour.

    `networks`: how many entered no code; `valid`: how many did.
    """
    SendLimitRecord(
        f"sms-pumping-strangers#US#{int(functions_clock.now() // HOUR_SECONDS)}#0",
        used=sends,
        failed_marks={sms_pumping.random_mark(network) for network in range(networks)},
        valid_marks={sms_pumping.random_mark(network) for network in range(valid)} or None,
    ).save()


def sent_before_by_servers(sends: int, valid: int) -> None:
    hour = int(functions_clock.now() // HOUR_SECONDS)
    SendLimitRecord(f"sms-pumping-servers#US#{hour}#0", used=sends, valid=valid).save()


def is_paused() -> bool:
    return any(
        (limit.paused_until or 0) > functions_clock.now() for limit in SendLimitRecord.scan()
    )


def metrics(capfd: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if '"_aws"' in line]
    return [name for line in lines for name in ("CountryPaused", "LowConversion") if name in line]


def test_one_token_that_sends_to_48_area_codes_stops_nobody(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for area_code in AREA_CODES:
        reply = send(f"+1{area_code}5550123", ip="192.0.2.1")
        assert reply.status == 200, (area_code, reply.body)
        end(reply.body["verification_id"])
    assert metrics(capfd) == []
    assert send("+14155559999", ip="203.0.113.200").status == 200
    assert send("+14155559998", kind="secret", client_ip="203.0.113.201").status == 200
    assert send("+14155559997", kind="secret").status == 200


def test_pumping_is_stopped_and_servers_are_not(
    clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    sent_before(sms_pumping.SENDS - 2)
    for number in range(3):
        assert not is_paused()
        end(send(f"+1415555010{number}", ip=f"192.0.{number}.1").body["verification_id"])
    paused = send("+14155559999", ip="203.0.113.200")
    assert (paused.status, paused.headers["ratelimit-policy"]) == (
        429,
        f'"paused-US";q=0;w={DAY_SECONDS}',
    )
    assert send("+14155559999", kind="secret", client_ip="203.0.113.200").status == 429
    assert send("+14155559999", kind="secret").status == 200
    assert send("+4915123456789", ip="203.0.113.200").status == 200
    assert metrics(capfd) == ["CountryPaused"]
    clock.advance(DAY_SECONDS + 1)
    assert send("+14155559998", ip="203.0.113.200").status == 200


def test_a_country_where_codes_are_entered_goes_on() -> None:
    sent_before(sms_pumping.SENDS, valid=5)
    for number in range(3):
        verification_id = send(f"+1415555010{number}", ip=f"192.0.{number}.1").body[
            "verification_id"
        ]
        assert check(verification_id, last_code()).body["valid"]
        end(verification_id)
    assert not is_paused()


def test_few_networks_pause_nothing_and_an_operator_is_told(
    capfd: pytest.CaptureFixture[str],
) -> None:
    sent_before(sms_pumping.SENDS, networks=sms_pumping.NETWORKS - 2)
    for _ in range(3):
        note(sending.client_network("192.0.2.1"))
    assert not is_paused()
    assert metrics(capfd) == ["LowConversion"]


def test_a_send_of_an_unknown_network_is_one_of_its_own() -> None:
    assert len({sending.client_network(None) for _ in range(50)}) == 50


def test_a_network_is_seen_by_one_shard_so_that_few_are_not_seen_as_many(
    settings: Settings,
) -> None:
    settings.set(COUNTRY_SENDS_PER_DAY=20_000)
    for number in range(60):
        note(sending.client_network(f"192.0.{number % 6}.1"))
    counters = list(SendLimitRecord.scan())
    assert len(counters) > 1
    assert sum(sms_pumping.networks_of(each.failed_marks) for each in counters) == 6


def test_low_conversion_of_servers_is_only_reported(
    capfd: pytest.CaptureFixture[str],
) -> None:
    sent_before_by_servers(sms_pumping.SENDS - 1, valid=4)
    for _ in range(4):
        note(None)
    assert not is_paused()
    assert metrics(capfd) == ["LowConversion"], "once, not with every send"


def test_servers_whose_codes_are_entered_cause_no_report(
    capfd: pytest.CaptureFixture[str],
) -> None:
    sent_before_by_servers(sms_pumping.SENDS, valid=6)
    note(None)
    assert metrics(capfd) == []


def test_sends_of_servers_are_no_reason_to_refuse_strangers() -> None:
    sent_before(sms_pumping.SENDS - 5)
    for _ in range(10):
        note(None)
    assert not is_paused()


def test_a_pause_is_told_once_and_lasts_a_day(
    clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    sent_before(sms_pumping.SENDS)
    for network in range(5):
        note(network)
        clock.advance(60)
    assert metrics(capfd) == ["CountryPaused"]
    clock.advance(DAY_SECONDS - 299)
    assert not is_paused()


def test_a_country_that_an_operator_resumed_is_not_paused_again_within_the_hour(
    clock: Clock,
) -> None:
    sent_before(sms_pumping.SENDS)
    note(1)
    assert is_paused()
    sending.resume("US", functions_clock.now())
    note(2)
    assert not is_paused()
    assert send("+14155559999").status == 200
    clock.advance(HOUR_SECONDS + 1)
    sent_before(sms_pumping.SENDS)
    note(3)
    assert is_paused()


def test_records_of_an_earlier_release_end_and_pause_correctly(clock: Clock) -> None:
    """Records of the earlier release name no network; its pauses work like today's."""
    verification_id = send("+14155559999", kind="secret").body["verification_id"]
    Verification(verification_id).update([Verification.client_network.remove()])
    assert check(verification_id, last_code()).body["valid"]
    end(verification_id)
    SendLimitRecord(
        sending.country_key("US"), paused_until=int(clock()) + 60, delete_at=int(clock()) + 60
    ).save()
    assert send("+14155559998").status == 429
    assert send("+14155559998", kind="secret").status == 200


@pytest.mark.parametrize(
    ("sender", "known"),
    [
        ({"kind": "publishable"}, True),
        ({"kind": "secret", "client_ip": "192.0.2.1"}, True),
        ({"kind": "secret"}, False),
    ],
)
def test_a_record_knows_a_strangers_network_by_a_pseudonym_only(
    sender: dict[str, str], *, known: bool
) -> None:
    verification_id = send("+14155559999", **sender).body["verification_id"]
    (record,) = Verification.scan()
    assert (record.client_network is not None) is known
    stored = [
        json.dumps(each.to_simple_dict(force=True), default=str)
        for each in [record, *SendLimitRecord.scan()]
    ]
    assert "192.0.2" not in "".join(stored)
    end(verification_id)


def test_a_pseudonym_is_made_with_the_deployments_own_key(settings: Settings) -> None:
    before = sending.client_network("192.0.2.1")
    assert sending.client_network("192.0.2.99") == before, "the same network"
    other = admin("secretsmanager").create_secret(Name="another-limit-key", SecretString="d" * 64)
    settings.set(LIMIT_KEY_SECRET=other["ARN"])
    assert sending.client_network("192.0.2.1") != before


def test_sends_checks_and_ends_stay_within_their_requests(dynamodb_requests: list[str]) -> None:
    verification_id = send("+14155559999", ip="2001:db8::1").body["verification_id"]
    assert dynamodb_requests == ["BatchGetItem", "TransactWriteItems"]
    check(verification_id, last_code())
    assert dynamodb_requests[2:] == ["UpdateItem"]
    end(verification_id)
    assert dynamodb_requests[3:] == [
        "BatchGetItem",
        "BatchGetItem",
        "TransactWriteItems",
        "UpdateItem",
    ]
