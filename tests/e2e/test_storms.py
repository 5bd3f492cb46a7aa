"""Parallel calls on the emulator, whose conditional writes and transactions are atomic."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.builders.parameters import check_parameters, send_parameters
from tests.e2e.conftest import LocalStack
from tests.sizes import size

Parameters = dict[str, object]

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
            storm(
                stack,
                pool,
                "verify_check",
                [check_parameters("k1.unknown", "000000")] * clients,
            )
            storm(stack, pool, "verify_send", [{"channel": "email", "to": "nobody"}] * clients)
        yield pool


def post(api: httpx.Client, workflow: str, parameters: Parameters) -> httpx.Response:
    return api.post(f"/workflows/{workflow}", json=parameters)


def storm(
    stack: LocalStack, pool: ThreadPoolExecutor, workflow: str, bodies: list[Parameters]
) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=CLIENTS)
    headers = {"authorization": f"Bearer {stack.printed('secret')}"}
    with httpx.Client(base_url=stack.api_url, headers=headers, limits=limits, timeout=120) as api:
        return list(pool.map(lambda body: post(api, workflow, body), bodies))


def sent(stack: LocalStack, to: str) -> str:
    with stack.api() as api:
        return str(post(api, "verify_send", send_parameters(to)).json()["verification_id"])


def test_exactly_one_of_parallel_right_checks_is_valid(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    for number in range(ROUNDS):
        to = f"storm{number}-{email}"
        verification_id = sent(stack, to)
        answers = storm(
            stack,
            pool,
            "verify_check",
            [check_parameters(verification_id, stack.code(to))] * CLIENTS,
        )
        assert {answer.status_code for answer in answers} == {200}
        assert sum(answer.json()["valid"] for answer in answers) == 1


def test_at_most_5_of_parallel_wrong_guesses_are_judged(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    verification_id = sent(stack, email)
    code = stack.code(email)
    guesses = 4 * CLIENTS
    wrong = [f"{number:06d}" for number in range(guesses + 1) if f"{number:06d}" != code][:guesses]
    bodies = [check_parameters(verification_id, guess) for guess in wrong]
    left = Counter(
        answer.json()["attempts_left"] for answer in storm(stack, pool, "verify_check", bodies)
    )
    # A judged guess says how many are left. The fifth says 0, and so do all unjudged ones.
    assert left == {4: 1, 3: 1, 2: 1, 1: 1, 0: guesses - 4}
    assert (stack.verification(verification_id) or {})["attempts"] == {"N": "5"}
    with stack.api() as api:
        body = check_parameters(verification_id, code)
        assert post(api, "verify_check", body).json()["valid"] is False


def test_one_of_parallel_sends_to_a_destination_is_sent(
    stack: LocalStack, pool: ThreadPoolExecutor, email: str
) -> None:
    answers = storm(stack, pool, "verify_send", [send_parameters(email)] * (2 * CLIENTS))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 429: 2 * CLIENTS - 1}
    assert len(stack.inbox(email)) == 1
