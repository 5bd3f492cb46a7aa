"""Trial of the built functions in `make build`, each under AWS's own runtime client.

Each gets the environment and the resources of a deployment in the emulator. A workflow validates
the parameters of its sample event. Its function does not run, as it might send an email or call a
bank. Workflows that tests/events/run-for-real.txt lists answer their sample event, and so do the
platform's functions.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from infra import sam
from infra.local import providers
from infra.local.deploy import Deployment, deploy
from infra.local.emulator import Emulator, running_emulator
from infra.runtime import FunctionFailed, LambdaFunction, LambdaProcess, Runtime

EVENTS = sam.ROOT / "tests/events"

_WORKFLOWS = "functions.workflows."
_LIST = "run-for-real.txt"
_NOWHERE = "https://events.invalid/events"
_NO_PROVIDERS = {"TWILIO_URL": "https://twilio.invalid", "CAPTCHA_URL": "https://captcha.invalid"}
"""Hosts that nobody can have (RFC 6761 §6.4), so that no trial reaches anybody."""


class Trial(NamedTuple):
    """An event for a function, and a check of the answer that raises `FunctionFailed`."""

    event: object
    check: Callable[[Any], None]
    done: str
    """Verb for the printed line, such as `answered`."""


def try_functions(
    folders: Mapping[str, Path], runtime: Runtime, parameters: Mapping[str, str]
) -> list[str]:
    """Tries all functions and prints a line for each; returns the names of those that fail.

    Args:
        folders: built code, by handler.
        runtime: interpreter and runtime client.
        parameters: of the stack.
    """
    with tempfile.TemporaryDirectory() as state, running_emulator(Path(state)) as emulator:
        parameters = harmless_parameters(emulator, parameters)
        deployment = deploy(emulator, parameters, _NO_PROVIDERS)
        functions = [_deployed(deployment, name, folders) for name in deployment.functions()]
        return [function.name for function in functions if not _works(function, runtime)]


def harmless_parameters(emulator: Emulator, parameters: Mapping[str, str]) -> dict[str, str]:
    """Parameters without receivers of requests and resources of the owner's account."""
    safe = dict(parameters)
    if safe.get("EventsUrl"):
        safe["EventsUrl"] = _NOWHERE
    if safe.get("TwilioSecret") or safe.get("CaptchaSecret"):
        safe |= providers.parameters(emulator)
    if safe.pop("ProofKeys", ""):
        safe["Proofs"] = "true"
    return safe


def trial_of(handler: str, events: Path = EVENTS) -> Trial:
    """Trial of a function. Raises `FunctionFailed` if it has no usable sample event."""
    name = handler.split(".")[-3]
    sample = _sample(events / f"{name}.json")
    if not handler.startswith(_WORKFLOWS) or name in run_for_real(events):
        return Trial(sample, _refuse_problem, "answered")
    return Trial(
        {"trigger": "validate", "items": [_parameters(sample)]},
        partial(_refuse_invalid, f"tests/events/{name}.json"),
        "validated",
    )


def run_for_real(events: Path = EVENTS) -> set[str]:
    """Workflows that answer their sample event, one name a line; # begins a comment."""
    lines = (events / _LIST).read_text().splitlines()
    return {line.partition("#")[0].strip() for line in lines} - {""}


def _deployed(deployment: Deployment, name: str, folders: Mapping[str, Path]) -> LambdaFunction:
    """The built function with the environment of the deployed one."""
    about = deployment.emulator.client("lambda").get_function_configuration(FunctionName=name)
    variables = about["Environment"]["Variables"] | {"AWS_ENDPOINT_URL": deployment.emulator.url}
    if about.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
        variables |= {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    return LambdaFunction(
        name, folders[about["Handler"]], about["Handler"], variables, about["MemorySize"]
    )


def _works(function: LambdaFunction, runtime: Runtime) -> bool:
    """Tries a function and prints a line; true if it works."""
    name = function.handler.split(".")[-3]
    with LambdaProcess(function, runtime) as process:
        try:
            trial = trial_of(function.handler)
            init = process.start()
            answer, seconds = process.invoke(trial.event)
            trial.check(answer)
        except FunctionFailed as error:
            print(f"  {name:<20} FAILED: {error}\n{process.log()}", flush=True)
            return False
    print(
        f"  {name:<20} init {init * 1000:5.0f} ms, {trial.done} in {seconds * 1000:5.0f} ms",
        flush=True,
    )
    return True


def _sample(path: Path) -> Any:  # noqa: ANN401 - JSON
    if not path.exists():
        raise FunctionFailed(f"it has no sample event, tests/events/{path.name}")
    return json.loads(path.read_text())


def _parameters(sample: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Workflow parameters in a sample event of any trigger."""
    if "parameters" in sample:
        return sample["parameters"]
    if "body" in sample:
        return json.loads(sample["body"])
    raise FunctionFailed("its sample event has no parameters")


def _refuse_problem(answer: object) -> None:
    """Raises `FunctionFailed` for an answer with a problem or a status of 500 and above."""
    about = answer if isinstance(answer, dict) else {}
    if problem := about.get("problem"):
        raise FunctionFailed(f"{problem['code']}: {problem['detail']}")
    if about.get("statusCode", 200) >= 500:  # noqa: PLR2004 - RFC 9110 §15.6
        raise FunctionFailed(f"status {about['statusCode']}: {about.get('body')}")


def _refuse_invalid(place: str, answer: dict[str, Any]) -> None:
    """Raises `FunctionFailed` for invalid parameters; a refusal to run in background is fine."""
    if wrong := answer["problems"]:
        errors = "; ".join(f"{error['pointer']} {error['detail']}" for error in wrong[0]["errors"])
        raise FunctionFailed(f"the parameters in {place} are not valid: {errors}")
    if (answer["problem"] or {}).get("code", "not_in_background") != "not_in_background":
        _refuse_problem(answer)
