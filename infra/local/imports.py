"""Imports handlers as Lambda's init does, and finds those that cannot be imported.

`python -m infra.local.imports` does it in a process of its own: it reads a `Task` as JSON and
prints `Failure`s as JSON.
"""

import importlib
import os
import subprocess
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import msgspec

from infra.local.mistake import Mistake
from infra.sam import ROOT

_SECONDS = 60
"""Limit for all handlers together."""
_AT = "handler-being-imported"


class Function(msgspec.Struct, frozen=True):
    """A Lambda as it is configured."""

    name: str
    handler: str
    variables: dict[str, str]

    @property
    def folder(self) -> str:
        """Folder of its own code in the project: `functions/workflows/greet/`."""
        return "/".join(self.handler.split(".")[:-2]) + "/"


class Task(msgspec.Struct, frozen=True):
    """Handlers to import."""

    folder: str
    """Folder that holds functions/."""
    functions: list[Function]
    changed: list[str]
    """Paths of edited files, where a mistake is likely."""


class Failure(msgspec.Struct, frozen=True):
    """An import that failed."""

    function: str
    message: str
    """The exception's text."""
    mistake: Mistake


def find_failures(
    code: bytes, functions: Sequence[Function], changed: Collection[str] = ()
) -> list[Failure]:
    """Imports functions' handlers from a zip; returns the first failure of each.

    Args:
        code: the deployment's zip.
        functions: with the environment in which their handlers are imported.
        changed: paths of edited files. They are imported too, as some modules load only on demand.
    """
    if not functions:
        return []
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(BytesIO(code)).extractall(folder)
        task = msgspec.json.encode(Task(folder, list(functions), sorted(changed)))
        command = [sys.executable, "-W", "ignore", "-m", "infra.local.imports"]
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                command, cwd=ROOT, input=task, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return [_ended(folder, f"its import does not end within {_SECONDS} s")]
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            return [
                _ended(
                    folder,
                    f"its import ends the process with status {done.returncode}. {last}".strip(),
                )
            ]
    return msgspec.json.decode(done.stdout, type=list[Failure])


def _ended(folder: str, what: str) -> Failure:
    """Failure of the handler that the process was importing when it ended."""
    current = Path(folder) / _AT
    handler = current.read_text() if current.exists() else "functions/"
    return Failure(handler, what, Mistake(f"{handler}: {what}"))


def main() -> None:
    """Prints the failures; never fails itself."""
    answer, sys.stdout = (
        sys.stdout,
        sys.stderr,
    )  # so that output of a module is not read as the answer
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.path[0] = task.folder  # instead of the project, whose functions/ may differ
    around = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "POWERTOOLS_"))
    }
    failures = [failure for each in task.functions if (failure := _import(each, task, around))]
    answer.buffer.write(msgspec.json.encode(failures))
    answer.flush()


def _import(function: Function, task: Task, around: Mapping[str, str]) -> Failure | None:
    """Imports a handler. Modules are imported anew, as they cache settings and clients."""
    for name in [
        name for name in sys.modules if name == "functions" or name.startswith("functions.")
    ]:
        del sys.modules[name]
    os.environ.clear()
    os.environ.update({**around, **function.variables, "AWS_LAMBDA_FUNCTION_NAME": function.name})
    (Path(task.folder) / _AT).write_text(function.handler)
    module, _, name = function.handler.rpartition(".")
    try:
        getattr(importlib.import_module(module), name)
        for path in task.changed:
            if path.endswith(".py") and path.startswith(("functions/core/", function.folder)):
                importlib.import_module(
                    path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the code may raise
        return Failure(
            function.name, str(error), mistake_of(error, Path(task.folder), task.changed)
        )
    return None


def mistake_of(error: BaseException, folder: Path, changed: Collection[str]) -> Mistake:
    """Origin of an exception: the last line in an edited file, or else in the folder."""
    if isinstance(error, SyntaxError) and error.filename:
        what, frames = (
            f"{type(error).__name__}: {error.msg}",
            [(error.filename, error.lineno, error.text or "")],
        )
    else:
        what = "".join(traceback.format_exception_only(error)).strip().replace("\n", " ")
        what = what.removeprefix(f"{type(error).__module__}.")
        frames = [
            (each.filename, each.lineno, each.line or "")
            for each in traceback.extract_tb(error.__traceback__)
        ]
    known = [
        Mistake(what, Path(file).relative_to(folder).as_posix(), line, text)
        for file, line, text in frames
        if Path(file).is_relative_to(folder)
    ]
    return ([each for each in known if each.file in changed] or known or [Mistake(what)])[-1]


if __name__ == "__main__":
    main()
