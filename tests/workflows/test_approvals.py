"""The documents' approval by email, without a stack: its reminder, its refusals and its page."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from functions.core.definition.call import Call
from functions.core.runs.items import event_box
from functions.core.runs.items.event_box import KeyedEvent
from functions.core.runs.items.suspension import Suspended
from functions.core.runs.items.work import Work
from infra import sam
from tests import documents
from tests.builders import call
from tests.builders.steps import Steps
from tests.workflows.conftest import Clock

NODE = shutil.which("node", path=sam.ROOT / ".venv/bin") or shutil.which("node")
EXPENSE = {"number": "E-1", "amount": "80.00 EUR", "manager": "ana@example.com"}
DAY = 86_400


class Approval:
    """An item of approve_expense, called again and again as RunWorkflow does."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = clock
        self.steps = Steps()
        self.began = clock()
        self.emails: list[Any] = []
        self.code = namespace("approve_expense")
        monkeypatch.setattr(Call, "workflow", lambda _, __, email: self.emails.append(email))

    def go_on(self) -> Any:
        """Result, or the time until which the item waits."""
        about: Any = {"run_id": "approve_expense.a", "item_id": "approve_expense.a/0"}
        about |= {"request_id": "request-1", "began": lambda: self.began, "suspends": True}
        work = Work(self.steps, **about, seconds_left=lambda: 200.0)
        item = Call(request_id="request-1", trigger="run", item_id=about["item_id"], work=work)
        try:
            return self.code["lambda_handler"].definition.run(EXPENSE, item).decision
        except Suspended as pause:
            return pause.until

    def expire(self) -> Any:
        until = self.go_on()
        self.clock.advance(until - self.clock() + 1)
        return self.go_on()


def namespace(name: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    exec(documents.approval()[name], made)  # noqa: S102 - the documents' own code
    return made


@pytest.fixture
def approval(cloud: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Approval:  # noqa: ARG001 - is there first
    return Approval(clock, monkeypatch)


def test_a_week_without_a_decision_sends_a_reminder_with_another_secret(
    approval: Approval,
) -> None:
    until = approval.expire()
    assert until > approval.clock() + 2.9 * DAY
    urls = [email["data"]["button"]["url"] for email in approval.emails]
    assert len(set(urls)) == 2
    assert approval.emails[1]["data"]["subject"].startswith("Reminder")


def test_three_more_days_without_one_let_it_expire(approval: Approval) -> None:
    approval.expire()
    assert approval.expire() == "expired"
    assert "book" not in approval.steps.kept


@pytest.mark.parametrize("reminded", [False, True])
@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_only_an_approved_expense_is_booked(
    approval: Approval, *, decision: str, reminded: bool
) -> None:
    if reminded:
        approval.expire()
    approval.go_on()
    (waits,) = [each for each in approval.steps.kept.values() if each.status == "waiting"]
    key = str(approval.steps.kept[waits.name.removeprefix("Answer: ")].result)
    event = KeyedEvent(type="expense.decided", key=key, data={"decision": decision})
    event_box.wake(event, approval.clock())
    assert approval.go_on() == decision
    assert ("book" in approval.steps.kept) == (decision == "approved")


def test_the_run_keeps_no_secret(approval: Approval) -> None:
    approval.go_on()
    secret = approval.emails[0]["data"]["button"]["url"].rpartition(".")[2]
    assert len(secret) == 43
    assert secret not in repr(approval.steps.kept)


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("secret", "status"), [("x" * 43, 409), ("x" * 42, 422), (f"{'x' * 43}\n", 422)]
)
def test_a_page_that_guesses_is_refused(secret: str, status: int) -> None:
    handler = namespace("decide_expense")["lambda_handler"]
    sent = {"secret": secret, "decision": "approved"}
    scopes = ["workflow:decide_expense"]
    assert call(handler, sent, kind="publishable", scopes=scopes).status == status


# --- the page -------------------------------------------------------------------------------------

STAGE = """
const elements = {"#text": {textContent: "as it was"}, "#button": {hidden: true,
  addEventListener(name, heard) { this.press = heard; }}};
globalThis.document = {querySelector: (name) => elements[name]};
globalThis.location = {hash: process.argv[2]};
const answer = JSON.parse(process.argv[3]), sent = [];
globalThis.fetch = async (url, {method, body}) => {
  sent.push([method, url, JSON.parse(body)]);
  if (!answer) throw new TypeError("Failed to fetch");
  return {ok: answer.status === 200, status: answer.status, json: async () => answer.body};
};
await import("./page.mjs");
const seen = () => ({text: elements["#text"].textContent, hidden: elements["#button"].hidden});
const opened = {...seen(), sent: sent.length};
await elements["#button"].press?.();
console.log(JSON.stringify({opened, sent, pressed: seen()}));
"""


def shown(folder: Path, fragment: str, answer: Any = None) -> Any:
    """What the page does when it is opened, and when its button is pressed."""
    script = documents.approval_page().partition('<script type="module">')[2]
    (folder / "page.mjs").write_text(script.partition("</script>")[0])
    (folder / "stage.mjs").write_text(STAGE)
    command = [str(NODE), str(folder / "stage.mjs"), fragment, json.dumps(answer)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


SECRET = "s" * 43


def test_opening_the_page_sends_nothing_and_its_button_posts(tmp_path: Path) -> None:
    answer = {"status": 200, "body": {"decision": "approved"}}
    seen = shown(tmp_path, f"#approved.{SECRET}", answer)
    assert seen["opened"] == {"text": "Approve this expense?", "hidden": False, "sent": 0}
    url = "http://127.0.0.1:8787/workflows/decide_expense"
    assert seen["sent"] == [["POST", url, {"secret": SECRET, "decision": "approved"}]]
    assert seen["pressed"] == {"text": "The expense is approved. Thank you.", "hidden": True}


@pytest.mark.parametrize(
    ("answer", "text", "hidden"),
    [
        ({"status": 409, "body": {"detail": "This was decided before."}}, "This was deci", True),
        ({"status": 503, "body": {"detail": "Not available."}}, "Not available.", False),
        (None, "The decision did not arrive. Try again.", False),
    ],
)
def test_the_page_says_what_was_refused(
    tmp_path: Path, answer: Any, text: str, *, hidden: bool
) -> None:
    seen = shown(tmp_path, f"#rejected.{SECRET}", answer)["pressed"]
    assert seen["text"].startswith(text)
    assert seen["hidden"] is hidden


@pytest.mark.parametrize("fragment", ["", "#approved", "#paid.x", f"#approved.{SECRET}x"])
def test_an_incomplete_link_shows_no_button(tmp_path: Path, fragment: str) -> None:
    seen = shown(tmp_path, fragment)
    assert (seen["sent"], seen["opened"]["hidden"]) == ([], True)
