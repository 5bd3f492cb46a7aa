"""Runs the emulator, an unchanged MiniStack, in a process of its own.

It listens on loopback only and is closed to web pages (guard.py).
"""

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from infra.local.errors import LocalStackError
from infra.local.guard import KEY_HEADER, KEY_VARIABLE
from infra.local.loopback import HOST
from infra.sam import ROOT

REGION = "us-east-1"
START_SECONDS = 60
STOP_SECONDS = 30

SAM_PLACEHOLDER = "defaultkey"
"""Access key that `sam local invoke` uses if there is none; root here, like `test`."""


class Emulator(NamedTuple):
    """A running emulator."""

    url: str
    key: str
    """Key of this run, for `/_ministack/`."""

    def inspect(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON there is
        """Answer of the emulator's own API below `/_ministack/`.

        Raises:
            OSError: when it does not answer.
        """
        request = urllib.request.Request(self.url + path, headers={KEY_HEADER: self.key})  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - as above
            return json.load(reply)

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        """A client with the emulator's root credentials."""
        return _client(self.url, service)


@cache
def _client(url: str, service: str) -> Any:  # noqa: ANN401 - as above
    from botocore.config import Config  # noqa: PLC0415 - as `_session`

    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=64, read_timeout=120)
    root = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    return _session().create_client(service, endpoint_url=url, config=config, **root)


@cache
def _session() -> Any:  # noqa: ANN401 - botocore has no types
    """One session, which reads the lists of endpoints once."""
    import botocore.session  # noqa: PLC0415 - a third of a second, in which the emulator starts

    return botocore.session.get_session()


@contextmanager
def running_emulator(state: Path) -> Iterator[Emulator]:
    """Runs an emulator as `starting_emulator` does, and waits until it answers."""
    with starting_emulator(state) as (emulator, wait):
        wait()
        yield emulator


@contextmanager
def starting_emulator(
    state: Path, variables: Mapping[str, str] | None = None
) -> Iterator[tuple[Emulator, Callable[[], None]]]:
    """Runs an emulator on a free port, with its state in a folder that is saved at the end.

    Yields it at once, with a function that waits until it answers.

    Args:
        state: the folder.
        variables: added to its environment, which the functions' processes inherit.

    Raises:
        LocalStackError: when another stack uses the folder, or the emulator does not start.
    """
    for folder in ("state", "s3", "tmp"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a+") as lock, (state / "emulator.log").open("w") as log:
        _lock(lock, state)
        _stop_orphan(state)
        port = free_port()
        emulator = Emulator(f"http://{HOST}:{port}", secrets.token_urlsafe(32))
        process = _start(state, port, emulator.key, variables or {}, log)
        (state / "emulator.pid").write_text(str(process.pid))
        try:
            yield emulator, partial(_wait_until_healthy, process, emulator, state)
        finally:
            _stop(process)
            (state / "emulator.pid").unlink(missing_ok=True)


def free_port() -> int:
    """An unused port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _start(
    state: Path, port: int, key: str, variables: Mapping[str, str], log: IO[str]
) -> subprocess.Popen[bytes]:
    settings = {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": SAM_PLACEHOLDER,
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
        KEY_VARIABLE: key,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(state / "state"),
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
        "LOG_LEVEL": "WARNING",
        "AWS_DEFAULT_REGION": REGION,
    }
    # Of the functions' processes; the recorder's folder, for instance (tests/calls).
    if functions_path := os.environ.get("FUNCTIONS_PYTHONPATH"):
        settings["PYTHONPATH"] = functions_path
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON", "POWERTOOLS_"))
    }
    # Ctrl-C must reach this process only, which then stops the emulator in order.
    command = [sys.executable, "-m", "infra.local.guarded_ministack"]
    environment = kept | settings | dict(variables)
    return subprocess.Popen(  # noqa: S603 - our own commands
        command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
    )


def refuse_running(state: Path) -> None:
    """Raises `LocalStackError` if a local stack runs on this state."""
    with suppress(FileNotFoundError), (state / "lock").open() as lock:
        _lock(lock, state)


def _lock(lock: IO[str], state: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise LocalStackError(
            f"A local stack is already running on the state in {state}. "
            "Stop it first (Ctrl-C in its terminal)."
        ) from None


def _stop_orphan(state: Path) -> None:
    """Ends the emulator of a killed run; the lock guarantees that nobody uses it."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError, subprocess.CalledProcessError):
        pid = int((state / "emulator.pid").read_text())
        command = subprocess.run(  # noqa: S603
            ["ps", "-o", "command=", "-p", str(pid)],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
        if "ministack" in command.stdout:
            os.kill(pid, signal.SIGTERM)
            _wait_until_gone(pid)


def _wait_until_gone(pid: int) -> None:
    for _ in range(STOP_SECONDS * 10):
        os.kill(pid, 0)  # raises ProcessLookupError when it is gone
        time.sleep(0.1)


def _wait_until_healthy(process: subprocess.Popen[bytes], emulator: Emulator, state: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            emulator.inspect("/_ministack/health")
            return
        time.sleep(0.05)
    raise LocalStackError(f"The emulator did not start; {state / 'emulator.log'} says why.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):
        # Its Lambda workers share its process group, and may outlive it for a while.
        os.killpg(process.pid, signal.SIGKILL)
