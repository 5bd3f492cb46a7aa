"""The documents' long work: three workflows in a chain, of which the second fails once."""

import pytest

from functions.core.runs import outcomes
from functions.core.runs.run import describe
from functions.core.runs.start import start
from tests.documents import long_work
from tests.e2e.conftest import LocalStack, ended

pytestmark = pytest.mark.usefixtures("in_stack")


def test_what_a_step_has_done_is_not_done_again_when_a_later_one_fails(stack: LocalStack) -> None:
    for name, code in long_work().items():
        stack.add_workflow(name, code)
    collected = ended(start("month_collect", [{"month": "2026-10"}], token_id=None))
    assert collected.status == "succeeded", collected
    charged = ended(describe(collected.result["run_id"]))
    assert charged.status == "succeeded", charged
    told = ended(describe(charged.result["run_id"]))
    receipts = ["2026-10/1: 100", "2026-10/2: 200", "2026-10/3: 300"]
    assert (told.status, told.result) == ("succeeded", {"receipts": receipts})
    attempts = [
        outcomes.list_outcomes(run.run_id)[0][0].attempts for run in (collected, charged, told)
    ]
    assert attempts == [1, 2, 1]
    charges = [line for line in stack.logs() if '"message":"charged"' in line]
    assert len(charges) == 3
