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
from infra.given import read_given
from infra.local import development, providers
from infra.local.deploy import Deployment, deploy
from infra.local.emulator import running_emulator
from infra.local.errors import LocalStackError, PortInUse
from infra.local.failed_items import report_failed_items
from infra.local.inbox import Inbox
from infra.local.loopback import HOST
from infra.local.reload import Reload
from infra.local.sam_env import forget_sam_env, write_sam_env
from infra.local.server import LocalServer
from infra.local.stand_ins import running_stand_ins
from infra.local.state import Running, default_state, forget_running, make_private, write_running
from infra.local.terminal import say
from infra.local.watch import report_errors
from infra.workflows import workflows

DEFAULT_PORT = 8787
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS = 0.5
_PATIENCE = {"READ_TIMEOUT_SECONDS": "11"}
"""In every function's environment: the emulator answers some 40 requests a second, so a storm waits longer than on AWS."""
_LOCAL = {"LOCAL_RECEIVERS": "true", "LOCAL_LINKS": "true"}
"""As well: events and links in emails may go to a server on this machine, which a deployment refuses. No parameter of
template.yaml sets either.
"""

_DEFAULTS = {"Stage": "local", "EmailFrom": "no-reply@example.com", "SmsCountries": "*"}
_DEFAULTS |= {"LinkHosts": "app.example.com", "ReplyToDomains": "example.com"}
"""What has no default in the template, or one that is too strict for a laptop that sends nothing."""


def main() -> int:
    """Runs the stack; 1 with a sentence when it cannot."""
    for ending in _ENDINGS:  # also SIGINT, which a shell's background jobs inherit as ignored
        signal.signal(ending, _interrupt)
    try:
        given = read_given(sys.argv[1:], DEFAULT_PORT)
        _run(
            Path(given.state or default_state()).absolute(),
            given.port,
            _DEFAULTS | given.parameters,
        )
    except (LocalStackError, sam.TemplateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped; the state is kept (make clean forgets it)")
    return 0


def _stopping() -> None:
    """From here on the state is being saved, which an impatient second Ctrl-C must not interrupt."""
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    say("stopping")


def _run(state: Path, port: int, parameters: dict[str, str]) -> NoReturn:
    started, since_ms = time.monotonic(), int(time.time() * 1000)
    make_private(state)
    with ExitStack() as stack:
        server = stack.enter_context(_listen(port))
        say("starting the emulator")
        emulator = stack.enter_context(running_emulator(state))
        server.inbox = Inbox(emulator, state)
        stand_ins = stack.enter_context(running_stand_ins(server.inbox.add))
        say("deploying template.yaml")
        url = f"http://{HOST}:{server.server_port}"
        parameters = {"PublicUrl": url} | providers.parameters(emulator, stand_ins) | parameters
        variables = _PATIENCE | _LOCAL | providers.variables(stand_ins)

        def deploy_all() -> None:
            server.deployment = deploy(emulator, parameters, variables, server.gate.closed)
            outputs = server.deployment.outputs
            about = Running(
                url=url, emulator_url=emulator.url, emulator_key=emulator.key, outputs=outputs
            )
            write_running(state, about)
            write_sam_env(state, server.deployment)

        reload = _reload(server, deploy_all)
        deploy_all()
        stack.callback(forget_running, state)
        stack.callback(forget_sam_env, state)
        _issue_development_tokens(server.deployment, state)
        threading.Thread(target=_report_messages, args=(server.inbox,), daemon=True).start()
        threading.Thread(
            target=report_errors, args=(emulator, since_ms, server.answered), daemon=True
        ).start()
        outcomes = server.deployment.outputs["OutcomesTable"]
        threading.Thread(target=report_failed_items, args=(emulator, outcomes), daemon=True).start()
        threading.Thread(target=reload.watch, args=(server.deployment,), daemon=True).start()
        print(_welcome(url, time.monotonic() - started), flush=True)
        stack.callback(_stopping)
        server.serve_forever()
    raise KeyboardInterrupt


def _reload(server: LocalServer, deploy_all: Callable[[], None]) -> Reload:
    """Looks at the files before they are deployed, so that no change is missed."""

    def redeploy() -> Deployment:
        # First, so that no call meets a new workflow without its scope.
        development.write_tokens(server.deployment, workflows())
        deploy_all()
        return server.deployment

    reload = Reload(server.gate, say, redeploy)
    server.find_mistake = lambda folder: reload.mistake_in(server.deployment, folder)
    return reload


def _listen(port: int) -> LocalServer:
    """Takes the port first, so that a port in use is said at once."""
    try:
        return LocalServer(port, say)
    except OSError:
        raise PortInUse(port, "make run") from None


def _issue_development_tokens(deployment: Deployment, state: Path) -> None:
    development.write_tokens(deployment, workflows())
    if development.revoke_earlier(deployment, state):
        say(
            "the development tokens are now the same in every clone; the earlier ones of this state are revoked"
        )


def _welcome(url: str, seconds: float) -> str:
    headers = f"-H 'authorization: Bearer {development.SECRET}' -H 'content-type: application/json'"
    return f"""
ready in {seconds:.1f} s
  url          {url}
  secret       {development.SECRET}
  publishable  {development.PUBLISHABLE}

Send a code, read it, check it (fill in what the first two answer):
  curl -s {url}/workflows/verify_send {headers} -d '{{"channel":"email","to":"ana@example.com"}}'
  curl -s '{url}/_local/inbox?to=ana@example.com'
  curl -s {url}/workflows/verify_check {headers} -d '{{"verification_id":"<verification_id>","code":"<code>"}}'

Ctrl-C stops it and keeps the state.
"""


def _report_messages(inbox: Inbox) -> None:
    """One line for each message that was captured since the start."""
    seen = {message["id"] for message in inbox.messages()}
    while True:
        time.sleep(_POLL_SECONDS)
        try:
            messages = inbox.messages()
        except OSError:  # the emulator is stopping
            return
        for message in reversed(messages):
            if message["id"] not in seen:
                seen.add(message["id"])
                say(
                    f"{message['channel']} to {message['to']}: {' '.join(message['text'].split())[:100]}"
                )


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
