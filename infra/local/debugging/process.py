"""Waits for a debugger in a function's process, and takes its deadlines away."""

import faulthandler
import fcntl
import math
import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import IO

import debugpy  # noqa: T100 - for `make run DEBUG=…` only

_LISTEN_SECONDS = 10
"""Longest wait for the port, which the debugger of an ended process may still have."""
_held: list[IO[str]] = []
"""The lock of this process, until it ends."""


def start() -> None:
    """Waits for a debugger, unless another process of the function already has one."""
    address, notices = os.environ["DEBUGGER"], Path(os.environ["DEBUGGER_NOTICES"])
    if not _is_first(notices.with_name("debugger.lock")):
        _tell(notices, "is called while the debugger has another call; this one does not stop")
        return
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # a warning about frozen modules
    host, _, port = address.rpartition(":")
    _listen(host, int(port))
    _tell(notices, f"waits for a debugger on {address}")
    debugpy.wait_for_client()  # noqa: T100
    _tell(notices, "has a debugger")
    _remove_deadlines()


def _is_first(path: Path) -> bool:
    lock = path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _held.append(lock)
    return True


def _listen(host: str, port: int) -> None:
    until = time.monotonic() + _LISTEN_SECONDS
    while True:
        try:
            debugpy.listen((host, port))  # noqa: T100
        except RuntimeError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def _tell(notices: Path, text: str) -> None:
    with notices.open("w") as pipe:
        pipe.write(f"{text}\n")


def _remove_deadlines() -> None:
    """Keeps a stopped call alive: first `deadline`, which the others import by name."""
    from functions.core import deadline  # noqa: PLC0415 - in this process only

    deadline.deadline = lambda *_: nullcontext()  # type: ignore[assignment]
    faulthandler.dump_traceback_later = lambda *_, **__: None

    from functions.core.triggers import run_item  # noqa: PLC0415

    run_item.BUDGET_SECONDS = math.inf
