"""The local stack on a running emulator: deployed, watched and served.

Its imports take half a second, in which the emulator starts (`__main__.py`).
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from infra.console.local_reads import local_reads
from infra.local import development, providers
from infra.local.authorizer import start_authorizer
from infra.local.debugging.waiting import Debugging
from infra.local.deploy import Deployment, deploy
from infra.local.emulator import Emulator
from infra.local.inbox import Inbox
from infra.local.kept import Kept
from infra.local.openapi import OpenApi
from infra.local.reload import Reload
from infra.local.runs.ended_runs import report_ended_runs
from infra.local.runs.failed_items import report_failed_items
from infra.local.runs.overdue_waits import end_overdue_waits
from infra.local.sam_env import forget_sam_env, write_sam_env
from infra.local.server import LocalServer
from infra.local.stand_ins import running_stand_ins
from infra.local.state import Running, forget_running, write_running
from infra.local.terminal import say
from infra.local.translation import Translation
from infra.local.watch import report_errors
from infra.parameters import upper_snake
from infra.source_mistakes import mistakes_in_file
from infra.workflows import workflows

_SERVICES = ("secretsmanager", "cloudformation", "lambda", "dynamodb")
"""Services of the emulator that every start calls; each client reads the model of its service."""
_PATIENCE = {"READ_TIMEOUT_SECONDS": "11"}
"""Variable of every function: the emulator answers some 40 requests a second."""
_LOCAL = {"LOCAL_RECEIVERS": "true", "LOCAL_LINKS": "true"}
"""Variables that let events and links in emails go to a server on this machine.

No parameter of template.yaml sets them, so a deployment refuses such addresses.
"""


class Given(NamedTuple):
    """The command's arguments."""

    state: Path
    parameters: dict[str, str]
    """Of the stack."""
    settings: dict[str, str]
    """Variables of every function."""
    debugged: Debugging | None


class LocalStack:
    """Deploys the stack, anew after a change of the template, and watches what it does."""

    def __init__(self, server: LocalServer, emulator: Emulator, given: Given) -> None:
        """Does all that needs no answer of the emulator, which is still starting."""
        self._server, self._emulator, self._given = server, emulator, given
        self._started_ms = int(time.time() * 1000)
        self._openapi = OpenApi(
            given.parameters.get("PublicUrl") or server.url, say, Kept(given.state / "openapi")
        )
        self._translation = Translation(given.state)
        server.inbox = Inbox(emulator, given.state)
        server.reads = local_reads(server)
        for service in _SERVICES:
            emulator.client(service)
        for sentence in mistakes_in_file():  # the other sources work
            say(f"this source of webhooks answers 503: {sentence}", "error")

    def deploy(self, exits: ExitStack) -> None:
        """Deploys everything. What is to end with the stack is added to `exits`."""
        say("deploying template.yaml")
        server, given = self._server, self._given
        stand_ins = exits.enter_context(
            running_stand_ins(server.inbox.add, given.state / "stand-ins.port")
        )
        own = {"PublicUrl": server.url} | providers.parameters(self._emulator)
        self._parameters = own | given.parameters
        self._variables = _PATIENCE | _LOCAL | providers.variables(stand_ins) | given.settings
        named = {upper_snake(name): value for name, value in self._parameters.items()}
        server.settings = {**named, **self._variables}
        self._reload = self._make_reload()
        self._deploy()
        exits.callback(forget_running, given.state)
        exits.callback(forget_sam_env, given.state)
        self._issue_development_tokens()
        if not given.debugged:
            _begin(start_authorizer, server.deployment, server.authorizer_ready)

    def watch(self) -> None:
        """Reports what happens, each thing in a thread of its own."""
        server, emulator, debugged = self._server, self._emulator, self._given.debugged
        outcomes = server.deployment.outputs["OutcomesTable"]
        _begin(_report_messages, server.inbox)
        _begin(report_errors, emulator, self._started_ms, server.answered)
        _begin(report_failed_items, emulator, outcomes)
        _begin(end_overdue_waits, emulator, outcomes)
        _begin(self._reload.watch, server.deployment)
        _begin(report_ended_runs, server.deployment, server.url)
        if debugged:
            _begin(debugged.report, say)

    def _deploy(self) -> None:
        server, given = self._server, self._given
        server.deployment = deploy(
            self._emulator,
            self._parameters,
            self._variables,
            server.gate.closed,
            self._openapi.files(),
            patient=bool(given.debugged),
            translate=self._translation,
        )
        about = Running(
            url=server.url,
            emulator_url=self._emulator.url,
            emulator_key=self._emulator.key,
            outputs=server.deployment.outputs,
        )
        write_running(given.state, about)
        write_sam_env(given.state, server.deployment)

    def _make_reload(self) -> Reload:
        """Makes the reload, which reads the files before they are deployed: no change is missed."""
        server = self._server
        reload = Reload(server.gate, say, self._redeploy, before_code=self._write_tokens)
        reload.openapi = self._openapi
        reload.faultless = Kept(self._given.state / "faultless")
        server.find_mistake = lambda folder: reload.mistake_in(server.deployment, folder)
        return reload

    def _redeploy(self) -> Deployment:
        self._write_tokens()
        self._openapi.make_again()
        self._deploy()
        return self._server.deployment

    def _write_tokens(self) -> None:
        """Called first, so that the scope of a workflow is there before the workflow."""
        development.write_tokens(self._server.deployment, workflows())

    def _issue_development_tokens(self) -> None:
        self._write_tokens()
        if development.revoke_earlier(self._server.deployment, self._given.state):
            say(
                "the development tokens are now the same in every clone; "
                "the earlier ones of this state are revoked"
            )


def _begin(watch: Callable[..., object], *arguments: object) -> None:
    threading.Thread(target=watch, args=arguments, daemon=True).start()


def _report_messages(inbox: Inbox) -> None:
    """Prints a line for each message that is captured from now on."""
    for message in inbox.watch():
        text = " ".join(message["text"].split())[:100]
        say(f"{message['channel']} to {message['to']}: {text}")
