"""Trial of each built function by `make build`, which must affect nobody."""

import json
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.core.workflow import Parameters, Result, workflow
from infra import sam
from infra.local.emulator import Emulator
from infra.runtime import FunctionFailed
from infra.trial import EVENTS, harmless_parameters, run_for_real, trial_of
from infra.workflows import workflows
from tests.builders import Context

pytestmark = pytest.mark.usefixtures("cloud")

PAY = "functions.workflows.pay.handler.lambda_handler"
LISTED = "# Reaches nothing but AWS.\npay  # says why\n"
sent: list[str] = []


class Pay(Parameters):
    """A payment."""

    iban: str


class Paid(Result):
    """Confirmation of a payment."""

    sent: bool


def pay(parameters: Pay) -> Paid:
    """Stands for a request to a bank."""
    sent.append(parameters.iban)
    return Paid(sent=True)


@pytest.fixture(autouse=True)
def _nothing_sent() -> None:
    sent.clear()


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Sample events, none of which runs for real."""
    (tmp_path / "run-for-real.txt").write_text("# none\n")
    (tmp_path / "pay.json").write_text('{"trigger": "direct", "parameters": {"iban": "DE02"}}')
    return tmp_path


def tried(events: Path, handler: Callable[[Any, Any], Any] | None = None, name: str = PAY) -> str:
    trial = trial_of(name, events)
    trial.check((handler or workflow(pay))(trial.event, Context()))
    return trial.done


@pytest.mark.parametrize("background", [True, False])
def test_a_workflow_validates_its_sample_event_and_does_not_run(
    events: Path, *, background: bool
) -> None:
    assert (tried(events, workflow(pay, background=background)), sent) == ("validated", [])


def test_one_that_is_listed_runs_with_its_sample_event(events: Path) -> None:
    (events / "run-for-real.txt").write_text(LISTED)
    assert (tried(events), sent) == ("answered", ["DE02"])


@pytest.mark.parametrize("background", [True, False])
def test_a_sample_event_that_the_workflow_would_refuse_is_told(
    events: Path, *, background: bool
) -> None:
    """Holds for a workflow without background runs, too, which refuses this trigger."""
    (events / "pay.json").write_text('{"trigger": "direct", "parameters": {"iban": 2}}')
    with pytest.raises(FunctionFailed, match=r"/pay\.json are not valid: /iban must be text"):
        tried(events, workflow(pay, background=background))


def test_a_sample_event_for_http_is_validated_by_its_body(events: Path) -> None:
    (events / "pay.json").write_text(json.dumps({"requestContext": {}, "body": '{"iban": "DE02"}'}))
    assert (tried(events), sent) == ("validated", [])


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [(None, "it has no sample event, tests/events/pay.json"), ("{}", "has no parameters")],
)
def test_a_sample_event_that_is_not_there_or_empty_is_told(
    events: Path, sample: str | None, sentence: str
) -> None:
    (events / "pay.json").unlink()
    if sample:
        (events / "pay.json").write_text(sample)
    with pytest.raises(FunctionFailed, match=sentence):
        tried(events)


def test_a_workflow_that_crashes_at_the_trigger_is_told(events: Path) -> None:
    def crashes(_: Pay) -> Paid:
        raise AssertionError

    class Broken(Pay):
        def check(self) -> None:
            raise KeyError("bank")

    crashes.__annotations__["_"] = Broken
    with pytest.raises(FunctionFailed, match="internal_error"):
        tried(events, workflow(crashes))


@pytest.mark.parametrize("name", workflows())
def test_the_sample_event_of_each_workflow_here_is_valid(name: str, events: Path) -> None:
    shutil.copy(EVENTS / f"{name}.json", events)
    handler = f"functions.workflows.{name}.handler"
    assert (
        tried(events, import_module(handler).lambda_handler, f"{handler}.lambda_handler")
        == "validated"
    )


def test_workflows_listed_to_run_for_real_exist_and_reach_no_foreign_server() -> None:
    assert run_for_real() <= set(workflows())
    assert "deliver_event" not in run_for_real()


@pytest.mark.parametrize("name", ["authorize", "runs", "webhooks"])
def test_functions_of_the_platform_answer_their_sample_event(name: str) -> None:
    trial = trial_of(f"functions.api.{name}.handler.lambda_handler")
    assert (trial.event, trial.done) == (
        json.loads((EVENTS / f"{name}.json").read_text()),
        "answered",
    )


def test_the_settings_reach_nobody_and_need_nothing_of_the_owners_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Emulator, "client", lambda _, service: boto3.client(service))
    given = {
        "EventsUrl": "https://bank.example/events",
        "ProofKeys": "arn:aws:kms:eu-west-1:123456789012:key/ours",
        "TwilioSecret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:twilio-AbCdEf",
        "CaptchaSecret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:captcha-AbCdEf",
        "LogLevel": "DEBUG",
    }
    safe = harmless_parameters(Emulator("http://127.0.0.1:1", "key"), given)
    assert safe["EventsUrl"] == "https://events.invalid/events"
    assert (safe.get("ProofKeys"), safe["Proofs"], safe["LogLevel"]) == (None, "true", "DEBUG")
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=safe["TwilioSecret"])
    assert "account_sid" in secret["SecretString"]
    assert safe["CaptchaSecret"] != given["CaptchaSecret"]
    assert safe.keys() <= sam.read_template()["Parameters"].keys()


def test_settings_that_reach_nobody_stay_as_they_are() -> None:
    given = {"LogLevel": "DEBUG", "EventsUrl": ""}
    assert harmless_parameters(Emulator("http://127.0.0.1:1", "key"), given) == given
