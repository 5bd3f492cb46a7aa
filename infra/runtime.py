"""Lambda's execution environment on this machine: one function in one process.

The process runs AWS's own runtime client (`awslambdaric`), which gets its events from a Runtime API
(AWS Lambda Developer Guide, "Lambda runtime API").

    function = LambdaFunction("hello", folder, "app.handler", {"TABLE": "things"})
    with LambdaProcess(function, runtime) as process:
        init_seconds = process.start()
        answer, seconds = process.invoke({"name": "Ana"})
        usage = process.close()
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal, NamedTuple, Self

HOST = "127.0.0.1"
REGION = "us-east-1"
INIT_SECONDS = 60.0
"""Limit of an init; Lambda's is 10 s, and a busy laptop needs more."""
INVOKE_SECONDS = 30.0

_NEXT = "/2018-06-01/runtime/invocation/next"
_RESTORE = "/2018-06-01/runtime/restore/next"
"""Asked for by a process of SnapStart, between its hooks."""
_ARN = f"arn:aws:lambda:{REGION}:000000000000:function:"
_LOOK_SECONDS = 0.1
"""Interval of checks that the process is alive; a report ends a wait at once."""
_CPU_OF_A_PROCESS = 2
"""Clock of a process's CPU time; the rest of the id is the process's (Linux, posix-timers.h)."""


class LambdaFunction(NamedTuple):
    """A function as Lambda knows it."""

    name: str
    folder: Path
    """Content of /var/task on Lambda."""
    handler: str
    variables: Mapping[str, str]
    """Environment variables; they win over Lambda's own."""
    memory_mb: int = 512


class Runtime(NamedTuple):
    """An interpreter and the runtime client."""

    python: str
    """Path of an interpreter with Lambda's name: `…/python3.13`."""
    client: Path
    """Folder with `awslambdaric` and its dependencies only."""


class Usage(NamedTuple):
    """Resources that a process used from start to end."""

    cpu_seconds: float
    peak_memory_bytes: int


class FunctionFailed(Exception):
    """The function did not answer; the message says why."""


class LambdaProcess:
    """One function in one process, which handles one event at a time, as on Lambda."""

    def __init__(self, function: LambdaFunction, runtime: Runtime) -> None:
        """Prepares the process; `start` starts it."""
        self._api = _RuntimeApi(_ARN + function.name)
        # -S keeps the interpreter's own packages out, as only the function's folder is on Lambda.
        self._command = [runtime.python, "-S", "-m", "awslambdaric", function.handler]
        self._folder = function.folder
        self._environment = _environment(function, runtime, self._api.server_port)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the process
        self._process: subprocess.Popen[bytes] | None = None
        self._usage: Usage | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> float:
        """Starts the process; returns the seconds until it asks for an event: Lambda's cold init.

        Raises:
            FunctionFailed: when the init fails.
        """
        started = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - our own function
            self._command,
            cwd=self._folder,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )
        return self._expect("ready", INIT_SECONDS).at - started

    def invoke(self, event: object, timeout_seconds: float = INVOKE_SECONDS) -> tuple[Any, float]:
        """The answer to an event and the seconds it took; returns when the function is ready again.

        Raises:
            FunctionFailed: when the function raises, ends or is too slow; use a new process then.
        """
        started = time.perf_counter()
        self._api.events.put(_QueuedEvent(json.dumps(event).encode(), timeout_seconds))
        answer = self._expect("answer", timeout_seconds)
        self._expect("ready", timeout_seconds)
        return json.loads(answer.body), answer.at - started

    def log(self) -> str:
        """The function's output so far; must be called before `close`."""
        size = os.fstat(self._log.fileno()).st_size
        # pread, because seek would move the position at which the process writes.
        text = os.pread(self._log.fileno(), size, 0).decode(errors="replace")
        return text.replace("\r", "\n")  # awslambdaric separates lines of an error by \r

    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far; must be called while it runs."""
        pid = self._process.pid if self._process else 0
        return time.clock_gettime(~pid << 3 | _CPU_OF_A_PROCESS)

    def close(self) -> Usage | None:
        """Ends the process and returns its usage; null if it was never started."""
        if self._process and not self._usage:
            self._usage = _end(self._process)
        self._api.close()
        self._log.close()
        return self._usage

    def _expect(self, kind: "_Kind", seconds: float) -> "_ProcessReport":
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                report = self._api.reports.get(timeout=_LOOK_SECONDS)
            except Empty:
                self._assert_alive()
                continue
            if report.kind != kind:
                raise FunctionFailed(_sentence(report))
            return report
        raise FunctionFailed(f"no {kind} within {seconds:.0f} s")

    def _assert_alive(self) -> None:
        """Raises if the process ended. It is not reaped, so its id stays its own until `close`."""
        pid = self._process.pid if self._process else 0
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended and self._api.reports.empty():
            raise FunctionFailed(f"its process ended with status {ended.si_status}")


_Kind = Literal["ready", "answer", "error"]


class _ProcessReport(NamedTuple):
    """Request of the process to the Runtime API, with its time."""

    kind: _Kind
    at: float
    body: bytes = b""


class _QueuedEvent(NamedTuple):
    body: bytes
    timeout_seconds: float


class _RuntimeApi(ThreadingHTTPServer):
    """The Runtime API of one process, between a queue of events and a queue of reports."""

    daemon_threads = True

    def __init__(self, function_arn: str) -> None:
        super().__init__((HOST, 0), _Handler)
        self.function_arn = function_arn
        self.events: SimpleQueue[_QueuedEvent | None] = SimpleQueue()
        self.reports: SimpleQueue[_ProcessReport] = SimpleQueue()
        threading.Thread(target=self.serve_forever, args=(_LOOK_SECONDS,), daemon=True).start()

    def close(self) -> None:
        """Stops the server, and the thread that waits for an event."""
        self.events.put(None)
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver has it
        """Ignores the broken connection of an ended process; `_assert_alive` reports it."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _RuntimeApi
    protocol_version = "HTTP/1.1"
    # Unbuffered writes under Nagle's algorithm cost every call about 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answers with the next event, once there is one."""
        if self.path == _RESTORE:  # at once, in the process itself: there is no snapshot here
            self._reply(200)
            return
        if self.path != _NEXT:
            self._reply(404)
            return
        self.server.reports.put(_ProcessReport("ready", time.perf_counter()))
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        deadline_ms = round((time.time() + event.timeout_seconds) * 1000)
        self._reply(
            200,
            {
                "content-type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": self.server.function_arn,
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            },
            event.body,
        )

    def do_POST(self) -> None:
        """Takes an answer (…/response) or an error (…/error, or /init/error of the init)."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind: _Kind = "answer" if self.path.endswith("/response") else "error"
        self.server.reports.put(_ProcessReport(kind, time.perf_counter(), body))
        self._reply(202)

    def _reply(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing, as the caller gets every report."""


def _environment(function: LambdaFunction, runtime: Runtime, port: int) -> dict[str, str]:
    """Environment of the process, with nothing of this process's own environment.

    AWS Lambda Developer Guide, "Defined runtime environment variables".
    """
    set_by_lambda = {
        "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{port}",
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(function.folder),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{Path(runtime.python).name}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": os.defpath,
    }
    set_for_this_machine = {
        "PYTHONPATH": f"{function.folder}{os.pathsep}{runtime.client}",
        "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only
        "HOME": "/nonexistent",  # botocore would read the developer's ~/.aws
    }
    return set_by_lambda | set_for_this_machine | dict(function.variables)


def _sentence(report: _ProcessReport) -> str:
    """The error that awslambdaric reports, as one line."""
    if report.kind != "error":
        return f"an unexpected {report.kind}"
    error = json.loads(report.body)
    return f"{error['errorType']}: {error['errorMessage']}"


def _end(process: subprocess.Popen[bytes]) -> Usage:
    """Kills and reaps a process; unlike Popen's wait, wait4 returns its usage."""
    peak_memory_bytes = _peak_memory_bytes(process.pid)
    os.kill(process.pid, signal.SIGKILL)  # until it is reaped, its id is not used again
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(used.ru_utime + used.ru_stime, peak_memory_bytes)


def _peak_memory_bytes(pid: int) -> int:
    """Peak memory; 0 if the process has ended. ru_maxrss would count the parent's at the fork."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
