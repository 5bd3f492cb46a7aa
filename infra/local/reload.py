"""Puts changed code into the running functions, and a changed template.yaml into the running stack.

A mistake is printed with its file and line, and the code before it goes on running.
"""

import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from infra import sam
from infra.local.deploy import Deployment, read_sources, source_files, update_code, zipped_functions
from infra.local.errors import LocalStackError
from infra.local.gate import Gate
from infra.local.imports import Function, find_failures
from infra.local.kept import Kept, contents
from infra.local.mistake import Mistake
from infra.local.openapi import OpenApi
from infra.local.parsing import find_mistakes
from infra.local.sentences import concerns_sentences, find_missing_sentences
from infra.local.terminal import Report
from infra.local.wrong_settings import find_wrong_settings, find_wrong_sources
from infra.logs.text import Tone
from infra.openapi.files import PLACE
from infra.workflows import workflows

_POLL_SECONDS = 0.5
_SETTLE_SECONDS = 0.1
"""Pause between two reads of files that an editor or git is writing."""
_STACK_FILES = ("template.yaml", "infra/run_workflow.asl.yaml")
_CHECKS = ("infra/local/parsing.py", "infra/local/sentences.py", "infra/local/reload.py")
"""Files whose code finds mistakes."""
_MOST_SHOWN = 5
_GOES_ON = "not reloaded, and the code before it goes on running"
_SOURCE_CLOSED = "this source of webhooks answers 503, and the others work"

Stamps = dict[str, tuple[int, int]]


class Reload:
    """Watches functions/ and the files of the stack."""

    def __init__(
        self,
        gate: Gate,
        say: Report,
        redeploy: Callable[[], Deployment],
        project: Path = sam.ROOT,
        before_code: Callable[[], None] = lambda: None,
    ) -> None:
        """Reads the files; changes count from now on.

        Args:
            gate: holds calls during a change.
            say: prints a line on the terminal.
            redeploy: deploys everything anew; raises `LocalStackError` or `TemplateError`.
            project: folder with template.yaml.
            before_code: called before changed code is put into the functions.
        """
        self.openapi: OpenApi | None = None
        """Document that is made anew after each change of the code."""
        self.faultless: Kept | None = None
        """Files that an earlier start has found to be without mistakes."""
        self._before_code = before_code
        self._gate, self._say, self._redeploy, self._project = gate, say, redeploy, project
        self._stamps, self._running = _stamps(project), read_sources(project)
        self._stack_changed = self._rejected = False
        self._said = ""
        self._without_function: set[str] = set()
        self._lock = threading.Lock()
        self._explained: dict[str, Mistake | None] = {}

    def watch(self, deployment: Deployment) -> None:
        """Reports mistakes, then reloads changes; never returns."""
        self.tell_mistakes()
        while True:
            time.sleep(_POLL_SECONDS)
            deployment = self.look(deployment)

    def tell_mistakes(self) -> None:
        """Reports mistakes that are in the files at the start; to parse them takes a while."""
        made_of = [*_checks(), *contents(self._running)]
        if self.faultless and self.faultless.find(made_of) is not None:
            return
        mistakes = _mistakes(self._running, {*self._running})
        self._say_mistakes("a function cannot work", mistakes)
        if self.faultless and not mistakes:
            self.faultless.keep(made_of, b"")

    def look(self, deployment: Deployment) -> Deployment:
        """Applies changes since the last call; returns the current deployment."""
        if _stamps(self._project) == self._stamps:
            return deployment
        now = _settled(self._project)
        try:
            self._stack_changed |= any(
                now.get(path) != self._stamps.get(path) for path in _STACK_FILES
            )
            deployment = self._take(deployment)
        except (LocalStackError, sam.TemplateError) as error:
            self._say_once(f"not deployed, and the stack is as it was: {error}", "error")
        except Exception as error:  # noqa: BLE001 - such as a vanished file; the next call retries
            self._say_once(f"not reloaded yet: {type(error).__name__}: {error}", "warning")
            return deployment
        self._stamps = now
        return deployment

    def mistake_in(self, deployment: Deployment, folder: str) -> Mistake | None:
        """Mistake that prevents the import of a folder's deployed code; null if there is none."""
        with self._lock:  # waiting calls find the first one's result
            if folder not in self._explained:
                functions = [each for each in _functions(deployment) if each.folder == folder]
                failures = find_failures(zipped_functions(self._running), functions)
                self._explained[folder] = failures[0].mistake if failures else None
                self._say_mistakes("cannot be imported", [failure.mistake for failure in failures])
            return self._explained[folder]

    def _take(self, deployment: Deployment) -> Deployment:
        sources = read_sources(self._project)
        changed = {
            path
            for path in {*sources, *self._running}
            if sources.get(path) != self._running.get(path)
        }
        if mistakes := _mistakes(sources, changed) or find_wrong_settings(sources, changed):
            self._reject(mistakes)
            return deployment
        self._say_mistakes(_SOURCE_CLOSED, find_wrong_sources(sources, changed))
        if self._stack_changed:
            self._stack_changed = False  # also if it fails: the template's next change tries again
            deployment = self._take_stack(sources)
        elif changed:
            self._take_code(deployment, sources, changed)
        elif self._rejected:
            self._rejected = False
            self._say("mended: functions/ is again the code that is running")
        return deployment

    def _take_stack(self, sources: dict[str, bytes]) -> Deployment:
        self._say("template.yaml, or the state machine, changed: deploying it")
        started = time.monotonic()
        deployment = self._redeploy()
        self._now_running(sources)
        self._say(f"deployed in {time.monotonic() - started:.1f} s")
        failures = find_failures(zipped_functions(sources), _functions(deployment))
        self._say_mistakes("deployed, but cannot be imported", [each.mistake for each in failures])
        self._say_without_function(deployment)
        return deployment

    def _take_code(
        self, deployment: Deployment, sources: dict[str, bytes], changed: Collection[str]
    ) -> None:
        code, functions = zipped_functions(sources), _affected(_functions(deployment), changed)
        failures = find_failures(code, functions, changed)
        if failures:
            self._reject([each.mistake for each in failures])
            return
        self._before_code()
        with self._gate.closed() as ended:
            update_code(deployment, self._zipped(sources), [each.name for each in functions])
        self._now_running(sources)
        self._say(
            "functions/ changed: code reloaded"
            + ("" if ended else "; a call that took too long was ended")
        )
        self._say_without_function(deployment)
        self._take_openapi(deployment, sources)

    def _take_openapi(self, deployment: Deployment, sources: dict[str, bytes]) -> None:
        """Serves the document of the code that is running now."""
        if self.openapi and self.openapi.make_again():
            names = [each.name for each in _functions(deployment) if PLACE.startswith(each.folder)]
            with self._gate.closed():
                update_code(deployment, self._zipped(sources), names)

    def _zipped(self, sources: dict[str, bytes]) -> bytes:
        return zipped_functions({**sources, **(self.openapi.files() if self.openapi else {})})

    def _now_running(self, sources: dict[str, bytes]) -> None:
        with self._lock:
            self._running, self._said, self._rejected = sources, "", False
            self._explained.clear()

    def _reject(self, mistakes: Iterable[Mistake]) -> None:
        self._rejected = True
        self._say_mistakes(_GOES_ON, mistakes)

    def _say_without_function(self, deployment: Deployment) -> None:
        """Reports folders of workflows without a function in template.yaml."""
        deployed = {each.folder for each in _functions(deployment)}
        without = {
            name
            for name in workflows(self._project)
            if f"functions/workflows/{name}/" not in deployed
        }
        for name in sorted(without - self._without_function):
            self._say(
                f"functions/workflows/{name} has no function in template.yaml. Add its section, as "
                "`make workflow` does; then it is deployed automatically."
            )
        self._without_function = without

    def _say_mistakes(self, consequence: str, mistakes: Iterable[Mistake]) -> None:
        found = list(dict.fromkeys(mistakes))
        for mistake in found[:_MOST_SHOWN]:
            self._say(f"{consequence}: {mistake}", "error")
        if more := found[_MOST_SHOWN:]:
            self._say(f"{len(more)} more files have mistakes", "error")

    def _say_once(self, text: str, tone: Tone) -> None:
        """Prints a text unless it was the last one."""
        if text != self._said:
            self._said = text
            self._say(text, tone)


def _checks() -> Iterator[bytes]:
    """What decides, besides the files themselves, whether they are without mistakes."""
    yield sys.version.encode()
    yield version("jinja2").encode()
    for path in _CHECKS:
        yield (sam.ROOT / path).read_bytes()


def _mistakes(sources: dict[str, bytes], changed: set[str]) -> list[Mistake]:
    """Mistakes of syntax in changed files, else missing sentences if a locale has changed."""
    mistakes = find_mistakes(sources, changed & sources.keys())
    if mistakes or not concerns_sentences(changed):
        return mistakes
    return find_missing_sentences(sources)


def _functions(deployment: Deployment) -> list[Function]:
    """Functions of the stack, with an environment for a process outside the emulator."""
    client = deployment.emulator.client("lambda")
    root = {
        "AWS_ENDPOINT_URL": deployment.emulator.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    around = root | {
        "AWS_REGION": client.meta.region_name,
        "AWS_DEFAULT_REGION": client.meta.region_name,
    }
    found = (
        client.get_function_configuration(FunctionName=name) for name in deployment.functions()
    )
    return [
        Function(
            each["FunctionName"], each["Handler"], around | _texts(each["Environment"]["Variables"])
        )
        for each in found
    ]


def _texts(variables: dict[str, object]) -> dict[str, str]:
    """Variables as texts; the emulator accepts other types."""
    return {name: str(value) for name, value in variables.items()}


def _affected(functions: Sequence[Function], changed: Collection[str]) -> list[Function]:
    """Functions whose own folders hold all changes, as they do not import each other; else all."""
    own = [each for each in functions if any(path.startswith(each.folder) for path in changed)]
    elsewhere = [path for path in changed if not any(path.startswith(each.folder) for each in own)]
    return list(functions) if elsewhere else own


def _settled(project: Path) -> Stamps:
    """Stamps of the files, once nothing writes them any more."""
    before = _stamps(project)
    while True:
        time.sleep(_SETTLE_SECONDS)
        now = _stamps(project)
        if now == before:
            return now
        before = now


def _stamps(project: Path) -> Stamps:
    found = {}
    for path in [*source_files(project), *(project / each for each in _STACK_FILES)]:
        with suppress(FileNotFoundError):  # a temporary file of an editor
            about = path.stat()
            found[str(path).removeprefix(f"{project}/")] = (about.st_mtime_ns, about.st_size)
    return found
