"""`make run DEBUG=verify_send`: the processes of one function wait for a debugger.

Python imports at_startup/sitecustomize.py when such a process starts. The function runs from the
files of this project instead of the emulator's copy, so that breakpoints need no mapping of paths.
Nothing of this ships.
"""

import difflib
import importlib.util
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from infra import sam
from infra.local.emulator import free_port
from infra.local.errors import LocalStackError
from infra.local.loopback import HOST
from infra.local.terminal import Report

PORT = 5678
"""Port that editors suggest for debugpy."""
_PREFIX = "${AWS::StackName}-"


class Debugging(NamedTuple):
    """A function and the debugger for which it waits."""

    name: str
    """The workflow, or the function of the platform."""
    function: str
    """Name of the function without the stack's."""
    port: int
    notices: Path
    """Named pipe through which the function's processes report."""

    def variables(self, stack: str) -> Mapping[str, str]:
        """Environment of the emulator, which its functions' processes inherit."""
        folders = [Path(__file__).parent / "at_startup", sam.ROOT]
        return {
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "DEBUGGED_FUNCTION": f"{stack}-{self.function}",
            "DEBUGGER": f"{HOST}:{self.port}",
            "DEBUGGER_NOTICES": str(self.notices),
        }

    def report(self, say: Report) -> None:
        """Prints what the processes report; never returns."""
        say(f"{self.name} will wait for a debugger on {HOST}:{self.port} when it is called")
        # Open for writing too, so that there is no end between two processes.
        with os.fdopen(os.open(self.notices, os.O_RDWR)) as lines:
            for line in lines:
                say(f"{self.name} {line.rstrip()}", "warning")


def debugging(name: str, state: Path) -> Debugging:
    """What DEBUG asks for; makes the pipe in the state's folder.

    Raises:
        LocalStackError: when there is no such function, or no debugger.
    """
    functions = _functions()
    if name not in functions:
        similar = difflib.get_close_matches(name, functions, n=1)
        meant = f" Did you mean {similar[0]}?" if similar else ""
        raise LocalStackError(
            f"DEBUG: there is no function {name!r}.{meant} There are: {', '.join(functions)}."
        )
    if not importlib.util.find_spec("debugpy"):
        raise LocalStackError("debugpy is not installed: `make run DEBUG=…` does it.")
    notices = state / "debugger"
    notices.unlink(missing_ok=True)
    os.mkfifo(notices, 0o600)
    return Debugging(name, functions[name], PORT if _is_free(PORT) else free_port(), notices)


def _functions() -> dict[str, str]:
    """Names of the functions in template.yaml, by what people call them."""
    found = [
        each["Properties"]["FunctionName"]["Fn::Sub"].removeprefix(_PREFIX)
        for each in sam.read_template()["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    ]
    return {name.removeprefix("wf-"): name for name in sorted(found)}


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return True
    return False
