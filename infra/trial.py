"""How `make build` tries the built functions: each under AWS's own runtime client, in the environment and against the resources
that a deployment gives it in the emulator.

A workflow is initialised and validates the parameters of its sample event; its function does not run, which might send an
email, or a request to a bank. A workflow that is listed in tests/events/run-for-real.txt answers its sample event. So do the
functions of the platform.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
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
_NO_TWILIO = "https://twilio.invalid"
"""Names that nobody can have (RFC 6761 §6.4): nothing that is tried here reaches anybody."""


class Trial(NamedTuple):
    """An event for a function, and what raises `FunctionFailed` unless the answer to it shows that the function works."""

    event: object
    check: Callable[[Any], None]
    done: str
    """What the function has done then."""


def try_functions(
    folders: Mapping[str, Path], runtime: Runtime, parameters: Mapping[str, str]
) -> list[str]:
    """Names of the functions that do not work; a line for each says more.

    Args:
        folders: of what was built, by handler.
        runtime: what runs it.
        parameters: of the stack.
    """
    with tempfile.TemporaryDirectory() as state, running_emulator(Path(state)) as emulator:
        deployment = deploy(emulator, harmless_parameters(emulator, parameters))
        functions = [_deployed(deployment, name, folders) for name in deployment.functions()]
        return [function.name for function in functions if not _works(function, runtime)]


def harmless_parameters(emulator: Emulator, parameters: Mapping[str, str]) -> dict[str, str]:
    """Parameters without what is outside of the stack: receivers of requests, and what only the owner's account has."""
    safe = dict(parameters)
    if safe.get("EventsUrl"):
        safe["EventsUrl"] = _NOWHERE
    if safe.get("TwilioSecret"):
        safe |= providers.parameters(emulator, _NO_TWILIO)
    if safe.pop("ProofKeys", ""):
        safe["Proofs"] = "true"
    return safe


def trial_of(handler: str, events: Path = EVENTS) -> Trial:
    """How a function is tried. Raises `FunctionFailed` when it has no sample event that can be used."""
    name = handler.split(".")[-3]
    sample = _sample(events / f"{name}.json")
    if not handler.startswith(_WORKFLOWS) or name in run_for_real(events):
        return Trial(sample, _refuse_problem, "answered")
    return Trial(
        {"trigger": "validate", "items": [_parameters(sample)]}, _refuse_invalid, "validated"
    )


def run_for_real(events: Path = EVENTS) -> set[str]:
    """Workflows whose sample event is answered: one name a line; the rest of a line after # is a comment."""
    lines = (events / _LIST).read_text().splitlines()
    return {line.partition("#")[0].strip() for line in lines} - {""}


def _deployed(deployment: Deployment, name: str, folders: Mapping[str, Path]) -> LambdaFunction:
    """The built function in the deployed one's environment."""
    about = deployment.emulator.client("lambda").get_function_configuration(FunctionName=name)
    variables = about["Environment"]["Variables"] | {"AWS_ENDPOINT_URL": deployment.emulator.url}
    return LambdaFunction(
        name, folders[about["Handler"]], about["Handler"], variables, about["MemorySize"]
    )


def _works(function: LambdaFunction, runtime: Runtime) -> bool:
    """Whether the function passes its trial; says so in a line."""
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
    """Of a sample event for any trigger that takes a workflow's parameters."""
    if "parameters" in sample:
        return sample["parameters"]
    if "body" in sample:
        return json.loads(sample["body"])
    raise FunctionFailed("its sample event has no parameters")


def _refuse_problem(answer: object) -> None:
    """Workflows answer `{"result": …, "problem": null}`; what answers HTTP requests, a status below 500."""
    about = answer if isinstance(answer, dict) else {}
    if problem := about.get("problem"):
        raise FunctionFailed(f"{problem['code']}: {problem['detail']}")
    if about.get("statusCode", 200) >= 500:  # noqa: PLR2004 - RFC 9110 §15.6
        raise FunctionFailed(f"status {about['statusCode']}: {about.get('body')}")


def _refuse_invalid(answer: dict[str, Any]) -> None:
    """A workflow that runs in no background says so, and what is wrong with the parameters all the same."""
    if wrong := answer["problems"]:
        errors = "; ".join(f"{error['pointer']} {error['detail']}" for error in wrong[0]["errors"])
        raise FunctionFailed(f"the parameters of its sample event are not valid: {errors}")
    if (answer["problem"] or {}).get("code", "not_in_background") != "not_in_background":
        _refuse_problem(answer)
