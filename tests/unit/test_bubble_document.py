"""The page for Bubble: its bodies and example answers are those of the workflows."""

import json
import re
from typing import Any

import msgspec
import pytest

from functions.workflows.send_email_template.handler import EmailTemplateSent, SendEmailTemplate
from functions.workflows.verify_check.handler import VerificationChecked, VerifyCheck
from functions.workflows.verify_send.handler import VerificationSent, VerifySend
from functions.workflows.verify_status.handler import VerificationStatus, VerifyStatus
from infra import sam

PAGE = (sam.ROOT / "docs/how-to/bubble.md").read_text()
CALLS = {
    "verify_send": (VerifySend, VerificationSent),
    "verify_check": (VerifyCheck, VerificationChecked),
    "verify_status": (VerifyStatus, VerificationStatus),
    "send_email_template": (SendEmailTemplate, EmailTemplateSent),
}


def example(workflow: str) -> tuple[Any, Any]:
    """The body and the answer that the page shows for a workflow."""
    section = PAGE.partition(f"### {workflow}\n")[2].partition("\n#")[0]
    body, answer = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    return json.loads(body), json.loads(answer)


def values(answer: Any) -> list[Any]:
    """All values within an answer."""
    if isinstance(answer, dict | list):
        inner = answer.values() if isinstance(answer, dict) else answer
        return [value for each in inner for value in values(each)] or [None]
    return [answer]


@pytest.mark.parametrize("workflow", CALLS)
def test_a_body_has_parameters_that_there_are(workflow: str) -> None:
    body, _ = example(workflow)
    assert set(body) <= set(CALLS[workflow][0].__struct_fields__)


@pytest.mark.parametrize("workflow", CALLS)
def test_an_answer_has_every_field_and_a_value_in_each(workflow: str) -> None:
    """Bubble learns nothing of a field that is null, and forgets one that is absent."""
    _, answer = example(workflow)
    read = msgspec.convert(answer, CALLS[workflow][1], strict=True)
    assert msgspec.to_builtins(read) == answer
    assert None not in values(answer)


def test_an_answer_with_null_is_seen() -> None:
    assert None in values({"messages": [{"to": "a**@example.com", "problem": None}]})
    assert None in values({"messages": []})


@pytest.mark.parametrize(
    ("field", "found"), [("retry_after_seconds", "42"), ("code", "limit_exceeded")]
)
def test_a_problem_is_read_with_the_patterns_of_the_page(field: str, found: str) -> None:
    (pattern,) = re.findall(rf'`(\(\?<="{field}":[^`]*)`', PAGE)
    problem = '{"type":"…","code":"limit_exceeded","request_id":"r","retry_after_seconds":42}'
    assert re.findall(pattern, problem) == [found]
