"""`make invoke`: calls one function of the local stack without HTTP and without Docker.

The function runs from the source tree under AWS's own runtime client, with the environment and the
role that the stack gave it.
"""

import argparse
import base64
import json
import sys
import sysconfig
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.deploy import STACK, Deployment
from infra.local.emulator import Emulator
from infra.local.errors import LocalStackError
from infra.local.state import default_state, read_running
from infra.runtime import FunctionFailed, LambdaFunction, LambdaProcess, Runtime
from infra.sam import ROOT

_EVENTS = ROOT / "tests/events"
_RUNTIME = Runtime(sys.executable, Path(sysconfig.get_path("purelib")))
_SERVER_ERROR = 500
"""RFC 9110 §15.6; a 4xx is a valid answer."""


def main() -> int:
    """Prints the answer, and the log on standard error; 1 if the call fails or is impossible."""
    arguments = _arguments()
    try:
        running = read_running(arguments.state)
        deployment = Deployment(
            Emulator(running.emulator_url, running.emulator_key), running.outputs
        )
        configuration = find_configuration(deployment.configurations(), arguments.workflow)
        event = read_event(arguments.event or str(_EVENTS / f"{arguments.workflow}.json"))
        if sys.platform == "linux":
            answer = invoke(_function(deployment, configuration), event, configuration["Timeout"])
        else:
            answer = invoke_deployed(deployment.emulator, configuration["FunctionName"], event)
    except (LocalStackError, FunctionFailed, ValueError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BotoCoreError as error:
        hint = "Start it in another terminal: make run"
        print(f"error: The local stack does not answer ({error}). {hint}", file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return int(failed(answer))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.invoke", description=__doc__)
    parser.add_argument(
        "--state", type=Path, default=default_state(), help="state folder of the local stack"
    )
    parser.add_argument(
        "workflow", help="a workflow such as verify_send, or a platform function such as runs"
    )
    parser.add_argument(
        "event", nargs="?", help="a file or JSON; by default tests/events/<workflow>.json"
    )
    return parser.parse_args()


def find_configuration(configurations: dict[str, dict[str, Any]], workflow: str) -> dict[str, Any]:
    """Configuration of a function, by its workflow's name or its own without the stack's.

    Raises:
        ValueError: when there is none; lists the functions that there are.
    """
    by_name = {_short(name): about for name, about in configurations.items()}
    if workflow not in by_name:
        problem = f"There is no function {workflow!r} here" if workflow else "Set WORKFLOW=<name>"
        raise ValueError(f"{problem}. There are: {', '.join(sorted(by_name))}.")
    return by_name[workflow]


def _short(name: str) -> str:
    return name.removeprefix(f"{STACK}-").removeprefix("wf-")


def read_event(text: str) -> Any:  # noqa: ANN401 - whatever JSON it is
    """Event from JSON text, or from a file.

    Raises:
        ValueError: when it is neither.
    """
    path = None if text.lstrip().startswith(("{", "[")) else Path(text)
    try:
        return json.loads(path.read_text() if path else text)
    except OSError as error:
        raise ValueError(f"EVENT is neither JSON nor a file that can be read: {error}") from error
    except ValueError as error:
        where = f"The event in {path}" if path else "EVENT"
        raise ValueError(f"{where} is not JSON: {error}") from error


def invoke(function: LambdaFunction, event: object, seconds: float) -> Any:  # noqa: ANN401 - as above
    """The function's answer; its log goes to standard error.

    Args:
        function: its code and its environment.
        event: its input.
        seconds: its Timeout.

    Raises:
        FunctionFailed: when it does not answer.
    """
    with LambdaProcess(function, _RUNTIME) as process:
        try:
            process.start()
            return process.invoke(event, seconds)[0]
        finally:
            print(process.log(), end="", file=sys.stderr)


def invoke_deployed(emulator: Emulator, name: str, event: object) -> Any:  # noqa: ANN401 - as above
    """The function's answer from the emulator, with the code that `make run` loaded last.

    AWS's runtime client works on Linux only.
    """
    call = {"FunctionName": name, "Payload": json.dumps(event), "LogType": "Tail"}
    reply = emulator.client("lambda").invoke(**call)
    print(base64.b64decode(reply.get("LogResult", "")).decode(errors="replace"), file=sys.stderr)
    answer = json.load(reply["Payload"])
    if "FunctionError" in reply:
        raise FunctionFailed(f"{answer['errorType']}: {answer['errorMessage']}")
    return answer


def failed(answer: object) -> bool:
    """True if an answer has a `problem`, or a status of 500 and above."""
    about = answer if isinstance(answer, dict) else {}
    return bool(about.get("problem")) or about.get("statusCode", 200) >= _SERVER_ERROR


def _function(deployment: Deployment, configuration: dict[str, Any]) -> LambdaFunction:
    """The function as Lambda would run it, with the code of the source tree."""
    variables = {
        "AWS_ENDPOINT_URL": deployment.emulator.url,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration['Runtime']}",
        "PYTHONDONTWRITEBYTECODE": "",  # unlike /var/task, the source tree can be written to
    }
    variables |= configuration["Environment"]["Variables"]
    variables |= _role(deployment.emulator, configuration)
    name, handler = configuration["FunctionName"], configuration["Handler"]
    return LambdaFunction(name, ROOT, handler, variables, configuration["MemorySize"])


def _role(emulator: Emulator, configuration: dict[str, Any]) -> dict[str, str]:
    """Credentials of the function's role, so that a right that it lacks is missing here too."""
    session = {"RoleArn": configuration["Role"], "RoleSessionName": configuration["FunctionName"]}
    credentials = emulator.client("sts").assume_role(**session)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


if __name__ == "__main__":
    sys.exit(main())
