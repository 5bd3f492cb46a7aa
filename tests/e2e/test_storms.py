"""Parallel calls on the emulator, whose conditional writes and transactions are atomic."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx
import pytest

from tests.builders.parameters import check_parameters, send_parameters
from tests.e2e.conftest import LocalStack
from tests.sizes import size

Parameters = dict[str, object]


class Call(NamedTuple):
    """A call of a storm."""

    workflow: str
    parameters: Parameters
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


ROUNDS = size(2, 10)
CLIENTS = size(10, 50)

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def pool(stack: LocalStack) -> Any:
    """Clients for parallel calls.

    Before the calls, the functions' processes are started a few at a time.
    """
    with ThreadPoolExecutor(CLIENTS) as pool:
        for clients in range(10, CLIENTS + 1, 10):
            storm(stack, pool, [check_call("k1.unknown", "000000")] * clients)
            storm(stack, pool, [Call("verify_send", {"channel": "email", "to": "x"})] * clients)
        yield pool


def post(
    api: httpx.Client,
    workflow: str,
    parameters: Parameters,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    return api.post(f"/workflows/{workflow}", json=parameters, headers=headers)


def check_call(verification_id: str, code: str, key: str = "") -> Call:
    headers = {"idempotency-key": key} if key else {}
    return Call("verify_check", check_parameters(verification_id, code), headers)


def storm(stack: LocalStack, pool: ThreadPoolExecutor, calls: list[Call]) -> list[httpx.Response]:
    """Answers of parallel calls, in the order of the calls."""
    limits = httpx.Limits(max_connections=CLIENTS)
    headers = {"authorization": f"Bearer {stack.printed('secret')}"}
    with httpx.Client(base_url=stack.api_url, headers=headers, limits=limits, timeout=120) as api:
        return list(pool.map(lambda call: post(api, *call), calls))


def sent(stack: LocalStack, to: str) -> str:
    with stack.api() as api:
        return str(post(api, "verify_send", send_parameters(to)).json()["verification_id"])


def test_exactly_one_of_parallel_right_checks_is_valid(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    for number in range(ROUNDS):
        to = f"storm{number}-{email}"
        verification_id = sent(stack, to)
        answers = storm(stack, pool, [check_call(verification_id, stack.code(to))] * CLIENTS)
        assert {answer.status_code for answer in answers} == {200}
        assert sum(answer.json()["valid"] for answer in answers) == 1


def test_at_most_5_of_parallel_wrong_guesses_are_judged(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    verification_id = sent(stack, email)
    code = stack.code(email)
    guesses = 4 * CLIENTS
    wrong = [f"{number:06d}" for number in range(guesses + 1) if f"{number:06d}" != code][:guesses]
    guessed = storm(stack, pool, [check_call(verification_id, guess) for guess in wrong])
    left = Counter(answer.json()["attempts_left"] for answer in guessed)
    # A judged guess says how many are left. The fifth says 0, and so do all unjudged ones.
    assert left == {4: 1, 3: 1, 2: 1, 1: 1, 0: guesses - 4}
    assert (stack.verification(verification_id) or {})["attempts"] == {"N": "5"}
    with stack.api() as api:
        body = check_parameters(verification_id, code)
        assert post(api, "verify_check", body).json()["valid"] is False


def test_one_of_parallel_sends_to_a_destination_is_sent(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    answers = storm(stack, pool, [Call("verify_send", send_parameters(email))] * (2 * CLIENTS))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 429: 2 * CLIENTS - 1}
    assert len(stack.inbox(email)) == 1


def test_parallel_right_checks_that_one_key_signs_are_all_valid(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    for number in range(ROUNDS):
        to = f"signed{number}-{email}"
        verification_id = sent(stack, to)
        call = check_call(verification_id, stack.code(to), f"one-key-of-{number:05}")
        answers = storm(stack, pool, [call] * CLIENTS)
        assert {answer.status_code for answer in answers} == {200}
        assert all(answer.json() == answers[0].json() for answer in answers)
        assert answers[0].json()["valid"] is True
        assert (stack.verification(verification_id) or {})["attempts"] == {"N": "1"}


def test_exactly_one_key_of_parallel_right_checks_is_valid(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    verification_id, code = sent(stack, email), stack.code(email)
    keys = [f"a-key-of-number-{number % 5}" for number in range(CLIENTS)]
    answers = storm(stack, pool, [check_call(verification_id, code, key) for key in keys])
    found = {key for key, answer in zip(keys, answers, strict=True) if answer.json()["valid"]}
    assert len(found) == 1
    assert sum(answer.json()["valid"] for answer in answers) == keys.count(found.pop())


def resend_calls(stack: LocalStack, to: str, resend_of: str, number: int) -> list[Call]:
    """Resends of strangers, whom the cooldown of the server's first send does not stop."""
    headers = {"authorization": f"Bearer {stack.printed('publishable')}"}
    return [Call("verify_send", send_parameters(to, resend_of=resend_of), headers)] * number


def mixed(*kinds: list[Call]) -> list[Call]:
    return [call for calls in zip(*kinds, strict=True) for call in calls]


def test_a_resend_among_parallel_right_checks_revives_nothing(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    for number in range(ROUNDS):
        to = f"resent{number}-{email}"
        first = sent(stack, to)
        code = stack.code(to)
        checks = [check_call(first, code)] * CLIENTS
        answers = storm(stack, pool, mixed(checks, resend_calls(stack, to, first, CLIENTS)))
        assert sum(answer.json()["valid"] for answer in answers[::2]) == 1
        assert {answer.status_code for answer in answers[1::2]} <= {200, 429}
        with stack.api() as api:
            body = check_parameters(first, code)
            assert post(api, "verify_check", body).json()["valid"] is False


def test_a_resend_among_parallel_wrong_guesses_leaves_the_budget_as_it_is(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    first = sent(stack, email)
    code = stack.code(email)
    wrong = [f"{number:06d}" for number in range(CLIENTS + 1) if f"{number:06d}" != code][:CLIENTS]
    guesses = [check_call(first, guess) for guess in wrong]
    answers = storm(stack, pool, mixed(guesses, resend_calls(stack, email, first, CLIENTS)))
    left = Counter(answer.json()["attempts_left"] for answer in answers[::2])
    assert left == {4: 1, 3: 1, 2: 1, 1: 1, 0: CLIENTS - 4}
    resent = [answer for answer in answers[1::2] if answer.status_code == 200]
    assert {answer.status_code for answer in answers[1::2]} <= {200, 409, 429}
    assert {answer.json()["verification_id"] for answer in resent} <= {first}
    assert {re.findall(r"\d{6}", each["text"])[0] for each in stack.inbox(email)} == {code}
    with stack.api() as api:
        body = check_parameters(first, code)
        assert post(api, "verify_check", body).json()["valid"] is False


def test_one_of_parallel_resends_is_sent_and_the_code_stays_valid(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    first = sent(stack, email)
    answers = storm(stack, pool, resend_calls(stack, email, first, CLIENTS))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 429: CLIENTS - 1}
    assert len(stack.inbox(email)) == 2
    with stack.api() as api:
        body = check_parameters(first, stack.code(email))
        assert post(api, "verify_check", body).json()["valid"] is True
