"""Recorder of every AWS call and HTTP request that a function makes, in this process.

`make calls` loads it into pytest (plugin.py) and into the functions' processes of the local stack
(sitecustomize.py). It finds functions by their modules' names, so nothing that ships knows it.
"""

import http.client
import importlib.abc
import importlib.machinery
import json
import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial, wraps
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import botocore.handlers

FOLDER = "CALLS_FOLDER"
"""Variable with the record's folder: a file per process, a line per invocation."""

_HANDLER = re.compile(r"functions\.(?:api|workflows)\.(\w+)\.handler")
_DIRECT = "functions.core.aws.connections"
"""Module that sends requests to AWS without its SDK."""
_current: ContextVar[list[str] | None] = ContextVar("calls of the invocation", default=None)


def install() -> None:
    """Starts recording; call it before any handler is imported or any botocore session is made."""
    sys.meta_path.insert(0, _Handlers())
    botocore.handlers.BUILTIN_HANDLERS.append(("provide-client-params", _keep_parameters))
    botocore.handlers.BUILTIN_HANDLERS.append(("before-call", _note_aws))
    http.client.HTTPConnection.putrequest = _noting(http.client.HTTPConnection.putrequest)  # type: ignore[method-assign]
    http.client.HTTPConnection.request = _noting_direct(http.client.HTTPConnection.request)  # type: ignore[method-assign]
    threading.Thread.start = _inheriting(threading.Thread.start)  # type: ignore[assignment, method-assign]


@contextmanager
def invocation(function: str, trigger: str) -> Iterator[None]:
    """Writes down the calls of one invocation, including those of threads that it starts."""
    made: list[str] = []
    token = _current.set(made)
    try:
        yield
    finally:
        _current.reset(token)
        line = {"function": function, "trigger": trigger, "calls": Counter(made)}
        with (Path(os.environ[FOLDER]) / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


def recorded(function: str, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A handler whose invocations are recorded."""

    @wraps(handler)
    def handle(event: Any, context: Any) -> Any:
        with invocation(function, _trigger(event)):
            return handler(event, context)

    handle.__self__ = getattr(handler, "__self__", None)  # type: ignore[attr-defined] # tests read traits there
    return handle


def _keep_parameters(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Keeps a call's parameters for `_note_aws`.

    botocore emits this event also for a presigned URL, which is never sent.
    """
    context["recorded_parameters"] = params


def _note_aws(model: Any, context: dict[str, Any], **_: object) -> None:
    """Notes a call of an AWS client; botocore emits the event once, however often it retries."""
    resource = _resource(context.get("recorded_parameters", {}))
    _note(f"{model.service_model.signing_name}:{model.name} {resource}".rstrip())


def _note(call: str) -> None:
    """Notes a call within an invocation; a call by a test's stand-in belongs to the test."""
    if (made := _current.get()) is not None and not _caller().startswith("tests."):
        made.append(call)


def _trigger(event: Any) -> str:
    event = event if isinstance(event, dict) else {}
    if "requestContext" in event:
        return "http"
    return str(event.get("trigger") or ("stream" if "Records" in event else "direct"))


def _resource(params: dict[str, Any]) -> str:
    """DynamoDB's tables, with a transaction's actions on them; S3's first folder of the key."""
    if "TransactItems" in params:
        writes = [(kind, write) for each in params["TransactItems"] for kind, write in each.items()]
        return ", ".join(sorted({f"{kind}:{write['TableName']}" for kind, write in writes}))
    if "RequestItems" in params:
        return ", ".join(sorted(params["RequestItems"]))
    if "TableName" in params:
        return str(params["TableName"]) + (
            f"/index/{params['IndexName']}" if "IndexName" in params else ""
        )
    key = str(params.get("Key", "")) if "Bucket" in params else ""
    return f"{key.partition('/')[0]}/*" if "/" in key else ""


def _noting(putrequest: Callable[..., None]) -> Callable[..., None]:
    """Notes requests outside the AWS SDK, with the module of functions/ that makes them."""

    @wraps(putrequest)
    def noting(
        self: http.client.HTTPConnection, method: str, *arguments: Any, **named: Any
    ) -> None:
        direct = _caller() == _DIRECT  # which `_noting_direct` notes
        if not direct and not type(self).__module__.startswith("botocore"):
            _note(f"http:{method} {self.host} from {_caller()}")
        putrequest(self, method, *arguments, **named)

    return noting


def _noting_direct(request: Callable[..., None]) -> Callable[..., None]:
    """Notes requests to AWS that its SDK does not make."""

    @wraps(request)
    def noting(
        self: http.client.HTTPConnection,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = (),
        **named: Any,
    ) -> None:
        if _caller() == _DIRECT:
            service = headers["authorization"].split("/")[3]
            _note(f"{service}:{asked(url, body, headers)}")
        request(self, method, url, body, dict(headers), **named)

    return noting


def asked(url: str, body: bytes, headers: Any) -> str:
    """Operation and resource of a request: named in a header, a form, or by the path."""
    if target := headers.get("x-amz-target"):
        return f"{target.rpartition('.')[2]} {_resource(json.loads(body))}".rstrip()
    if "form" in headers["content-type"]:
        return parse_qs(body.decode())["Action"][0]
    from functions.core.aws.protocols import PATHS  # noqa: PLC0415 - a process starts without functions/

    return next(name for name, path in PATHS.items() if url.startswith(path.partition("{")[0]))


def _caller() -> str:
    """Innermost calling module of functions/ or tests/; empty in a thread without one."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment] # None at the end
        name = str(frame.f_globals.get("__name__"))
        if name.startswith(("functions.", "tests.")) and name != __name__:
            return name
    return ""


def _inheriting(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    """Makes threads belong to the invocation that starts them."""

    @wraps(start)
    def starting(self: threading.Thread) -> None:
        self.run = partial(copy_context().run, self.run)  # type: ignore[method-assign]
        start(self)

    return starting


class _Handlers(importlib.abc.MetaPathFinder):
    """Imports handlers as Python does, and records the calls of init and of each invocation."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        found = _HANDLER.fullmatch(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if found else None
        if found and spec and spec.loader:
            spec.loader.exec_module = partial(_execute, found[1], spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _execute(function: str, execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    with invocation(function, "init"):
        execute(module)
    module.lambda_handler = recorded(function, module.lambda_handler)  # type: ignore[attr-defined]
