"""The documents' long work: a chain of three workflows, of which the second fails once."""

from tests.documents import long_work
from tests.e2e.conftest import Json, LocalStack
from tests.e2e.runs import ended, items_of

BEGIN = """
from functions.core.workflow import Parameters, Result, start, workflow


class Month(Parameters):
    month: str


class Begun(Result):
    run_id: str


def month_begin(parameters: Month) -> Begun:
    return Begun(run_id=start("month_collect", [{"month": parameters.month}]).run_id)


lambda_handler = workflow(month_begin, starts=["month_collect"])
"""


def test_a_finished_step_is_not_repeated_when_a_later_one_fails(stack: LocalStack) -> None:
    steps = long_work()
    for name, code in (steps | {"month_begin": BEGIN}).items():
        stack.add_workflow(name, code)
    runs: list[Json] = []
    with stack.new_api(",".join(["runs:read", *(f"workflow:{name}" for name in steps)])) as api:
        following = stack.invoke("month_begin", month="2026-10")
        for _ in steps:
            runs.append(ended(api, following["run_id"]))
            assert runs[-1]["status"] == "succeeded", runs[-1]
            following = runs[-1]["result"]
        receipts = ["2026-10/1: 100", "2026-10/2: 200", "2026-10/3: 300"]
        assert following == {"receipts": receipts}
        assert [items_of(api, run["run_id"])[0]["attempts"] for run in runs] == [1, 2, 1]
    charges = [line for line in stack.logs() if '"message":"charged"' in line]
    assert len(charges) == 3
