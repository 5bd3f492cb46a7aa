"""`make run`: deploys template.yaml into the emulator and serves it until Ctrl-C."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from infra import sam
from infra.local import development, providers
from infra.local.debugging.waiting import debugging
from infra.local.deploy import STACK, Deployment, deploy
from infra.local.emulator import refuse_running, running_emulator
from infra.local.errors import LocalStackError, PortInUse
from infra.local.inbox import Inbox
from infra.local.openapi import OpenApi
from infra.local.reload import Reload
from infra.local.runs.ended_runs import report_ended_runs
from infra.local.runs.failed_items import report_failed_items
from infra.local.runs.overdue_waits import end_overdue_waits
from infra.local.sam_env import forget_sam_env, write_sam_env
from infra.local.server import LocalServer
from infra.local.stand_ins import running_stand_ins
from infra.local.state import Running, default_state, forget_running, make_private, write_running
from infra.local.terminal import say
from infra.local.watch import report_errors
from infra.parameters import upper_snake
from infra.settings_arguments import read_settings_arguments
from infra.settings_mistakes import refuse_mistakes
from infra.source_mistakes import mistakes_in_file
from infra.workflows import workflows

DEFAULT_PORT = 8787
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE = {"READ_TIMEOUT_SECONDS": "11"}
"""Variable of every function: the emulator answers some 40 requests a second."""
_LOCAL = {"LOCAL_RECEIVERS": "true", "LOCAL_LINKS": "true"}
"""Variables that let events and links in emails go to a server on this machine.

No parameter of template.yaml sets them, so a deployment refuses such addresses.
"""

_DEFAULTS = {"Stage": "local", "EmailFrom": "no-reply@example.com"}
"""Parameters without a default in the template, or with another one here."""


def main() -> int:
    """Runs the stack; 1 with a sentence if it cannot run."""
    for ending in _ENDINGS:  # also SIGINT, which a shell's background jobs inherit as ignored
        signal.signal(ending, _interrupt)
    try:
        arguments = read_settings_arguments(sys.argv[1:], DEFAULT_PORT)
        refuse_mistakes()
        for sentence in mistakes_in_file():  # the other sources work
            say(f"this source of webhooks answers 503: {sentence}", "error")
        _run(
            Path(arguments.state or default_state()).absolute(),
            arguments.port,
            _DEFAULTS | arguments.parameters,
            arguments.variables,
            arguments.debug,
        )
    except (LocalStackError, sam.TemplateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped; the state is kept (make clean forgets it)")
    return 0


def _stopping() -> None:
    """Ignores a second Ctrl-C, which would interrupt the saving of the state."""
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    say("stopping")


def _run(
    state: Path, port: int, parameters: dict[str, str], settings: dict[str, str], debug: str
) -> NoReturn:
    started, since_ms = time.monotonic(), int(time.time() * 1000)
    make_private(state)
    refuse_running(state)  # first, as another port would not help then
    debugged = debugging(debug, state) if debug else None
    with ExitStack() as stack:
        server = stack.enter_context(_listen(port))
        url = server.url
        openapi = OpenApi(parameters.get("PublicUrl") or url, say)
        say("starting the emulator")
        emulator = stack.enter_context(
            running_emulator(state, debugged.variables(STACK) if debugged else None)
        )
        server.inbox = Inbox(emulator, state)
        stand_ins = stack.enter_context(running_stand_ins(server.inbox.add))
        say("deploying template.yaml")
        parameters = {"PublicUrl": url} | providers.parameters(emulator) | parameters
        variables = _PATIENCE | _LOCAL | providers.variables(stand_ins) | settings
        server.settings = {
            **{upper_snake(name): value for name, value in parameters.items()},
            **variables,
        }

        def deploy_all() -> None:
            server.deployment = deploy(
                emulator,
                parameters,
                variables,
                server.gate.closed,
                openapi.files(),
                patient=bool(debugged),
            )
            outputs = server.deployment.outputs
            about = Running(
                url=url, emulator_url=emulator.url, emulator_key=emulator.key, outputs=outputs
            )
            write_running(state, about)
            write_sam_env(state, server.deployment)

        reload = _reload(server, deploy_all, openapi)
        deploy_all()
        stack.callback(forget_running, state)
        stack.callback(forget_sam_env, state)
        _issue_development_tokens(server.deployment, state)
        threading.Thread(target=_report_messages, args=(server.inbox,), daemon=True).start()
        threading.Thread(
            target=report_errors, args=(emulator, since_ms, server.answered), daemon=True
        ).start()
        outcomes = server.deployment.outputs["OutcomesTable"]
        for watch in (report_failed_items, end_overdue_waits):
            threading.Thread(target=watch, args=(emulator, outcomes), daemon=True).start()
        threading.Thread(target=reload.watch, args=(server.deployment,), daemon=True).start()
        print(_welcome(url, time.monotonic() - started), flush=True)
        ended = (server.deployment, url)
        threading.Thread(target=report_ended_runs, args=ended, daemon=True).start()
        if debugged:
            threading.Thread(target=debugged.report, args=(say,), daemon=True).start()
        stack.callback(_stopping)
        server.serve_forever()
    raise KeyboardInterrupt


def _reload(server: LocalServer, deploy_all: Callable[[], None], openapi: OpenApi) -> Reload:
    """Makes the reload, which reads the files before they are deployed: no change is missed."""

    def write_tokens() -> None:
        """Called first, so that the scope of a workflow is there before the workflow."""
        development.write_tokens(server.deployment, workflows())

    def redeploy() -> Deployment:
        write_tokens()
        openapi.make_again()
        deploy_all()
        return server.deployment

    reload = Reload(server.gate, say, redeploy, before_code=write_tokens)
    reload.openapi = openapi
    server.find_mistake = lambda folder: reload.mistake_in(server.deployment, folder)
    return reload


def _listen(port: int) -> LocalServer:
    """Binds the port first, so that a port in use is reported at once."""
    try:
        return LocalServer(port, say)
    except OSError:
        raise PortInUse(port, "make run") from None


def _issue_development_tokens(deployment: Deployment, state: Path) -> None:
    development.write_tokens(deployment, workflows())
    if development.revoke_earlier(deployment, state):
        say(
            "the development tokens are now the same in every clone; "
            "the earlier ones of this state are revoked"
        )


def _welcome(url: str, seconds: float) -> str:
    headers = f"-H 'authorization: Bearer {development.SECRET}' -H 'content-type: application/json'"
    check = '{"verification_id":"<verification_id>","code":"<code>"}'
    return f"""
ready in {seconds:.1f} s
  console      {url}/
  url          {url}
  secret       {development.SECRET}
  publishable  {development.PUBLISHABLE}

Open the console in a browser: send a code, read the email, start a list. Or send a code, read it
and check it by curl (for <…>, take the values of the first two answers):
  curl -s {url}/workflows/verify_send {headers} -d '{{"channel":"email","to":"ana@example.com"}}'
  curl -s '{url}/_local/inbox?to=ana@example.com'
  curl -s {url}/workflows/verify_check {headers} -d '{check}'

Ctrl-C stops it and keeps the state.
"""


def _report_messages(inbox: Inbox) -> None:
    """Prints a line for each message that is captured from now on."""
    for message in inbox.watch():
        text = " ".join(message["text"].split())[:100]
        say(f"{message['channel']} to {message['to']}: {text}")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
