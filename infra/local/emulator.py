"""The emulator: MiniStack as it is published, in a process of its own, on the loopback interface only."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import boto3
from botocore.config import Config

from infra.local.errors import LocalStackError
from infra.local.loopback import HOST

REGION = "us-east-1"
START_SECONDS = 60
STOP_SECONDS = 30

SAM_PLACEHOLDER = "defaultkey"
"""Access key that `sam local invoke` hands over where there is none; root here, as `test` is."""


class Emulator(NamedTuple):
    """A running emulator."""

    url: str

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        """A client with the emulator's root credentials."""
        return _client(self.url, service)


@cache
def _client(url: str, service: str) -> Any:  # noqa: ANN401 - as above
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=64, read_timeout=120)
    root = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    return boto3.client(service, endpoint_url=url, config=config, **root)


@contextmanager
def running_emulator(state: Path) -> Iterator[Emulator]:
    """Starts an emulator on a free port, with its state in a folder, and stops it so that the state is saved.

    Raises:
        LocalStackError: when the folder is in use by another one, or the emulator does not start.
    """
    for folder in ("state", "s3", "tmp"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a+") as lock, (state / "emulator.log").open("w") as log:
        _lock(lock, state)
        _stop_orphan(state)
        port = free_port()
        process = _start(state, port, log)
        (state / "emulator.pid").write_text(str(process.pid))
        try:
            _wait_until_healthy(process, port, state)
            yield Emulator(f"http://{HOST}:{port}")
        finally:
            _stop(process)
            (state / "emulator.pid").unlink(missing_ok=True)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _start(state: Path, port: int, log: IO[str]) -> subprocess.Popen[bytes]:
    settings = {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": SAM_PLACEHOLDER,
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
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
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "POWERTOOLS_"))}
    # A session of its own: Ctrl-C reaches this process only, which then stops the emulator in order.
    return subprocess.Popen(
        [sys.executable, "-m", "ministack"], env=kept | settings, stdout=log, stderr=log, start_new_session=True
    )


def _lock(lock: IO[str], state: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise LocalStackError(
            f"A local stack is already running on the state in {state}. Stop it first (Ctrl-C in its terminal)."
        ) from None


def _stop_orphan(state: Path) -> None:
    """Ends the emulator that a killed run left behind; the lock says that nobody uses it."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError, subprocess.CalledProcessError):
        pid = int((state / "emulator.pid").read_text())
        command = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=True)  # noqa: S603, S607
        if "ministack" in command.stdout:
            os.kill(pid, signal.SIGTERM)
            _wait_until_gone(pid)


def _wait_until_gone(pid: int) -> None:
    for _ in range(STOP_SECONDS * 10):
        os.kill(pid, 0)  # raises ProcessLookupError when it is gone
        time.sleep(0.1)


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, state: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with (
            suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"http://{HOST}:{port}/_ministack/health"),
        ):
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
        # Its Lambda workers are in its process group, and may outlive it for a while.
        os.killpg(process.pid, signal.SIGKILL)
