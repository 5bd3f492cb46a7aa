"""`make run`: deploys template.yaml into the emulator and serves it until Ctrl-C."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import msgspec

from infra import sam
from infra.given import read_given
from infra.local import providers
from infra.local.deploy import Deployment, deploy
from infra.local.emulator import running_emulator
from infra.local.errors import LocalStackError, PortInUse
from infra.local.inbox import Inbox
from infra.local.loopback import HOST
from infra.local.reload import Reload
from infra.local.server import LocalServer
from infra.local.stand_ins import running_stand_ins
from infra.local.state import (
    DevelopmentTokens,
    Running,
    default_state,
    forget_running,
    read_tokens,
    write_running,
    write_tokens,
)
from infra.workflows import workflows

DEFAULT_PORT = 8787
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS = 0.5
_DEVELOPMENT = "development {}"
"""Names of the tokens of `make run`, by kind."""
_PATIENCE = {"READ_TIMEOUT_SECONDS": "11"}
"""In every function's environment: the emulator answers some 40 requests a second, so a storm waits longer than on AWS."""
_RECEIVERS = {"LOCAL_RECEIVERS": "true"}
"""As well: events may go to a server on this machine, which a deployment refuses. No parameter of template.yaml sets it."""

_DEFAULTS = {"Stage": "local", "EmailFrom": "no-reply@example.com", "SmsCountries": "*"}
_DEFAULTS |= {"LinkHosts": "app.example.com", "ReplyToDomains": "example.com"}
"""What has no default in the template, or one that is too strict for a laptop that sends nothing."""


def main() -> int:
    """Runs the stack; 1 with a sentence when it cannot."""
    for ending in _ENDINGS:  # also SIGINT, which a shell's background jobs inherit as ignored
        signal.signal(ending, _interrupt)
    try:
        given = read_given(sys.argv[1:], DEFAULT_PORT)
        _run(Path(given.state or default_state()).absolute(), given.port, _DEFAULTS | given.parameters)
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


def say(text: str) -> None:
    """One line for whoever watches the terminal."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def _run(state: Path, port: int, parameters: dict[str, str]) -> NoReturn:
    started = time.monotonic()
    with ExitStack() as stack:
        server = stack.enter_context(_listen(port))
        say("starting the emulator")
        emulator = stack.enter_context(running_emulator(state))
        server.inbox = Inbox(emulator, state)
        stand_ins = stack.enter_context(running_stand_ins(server.inbox.add))
        say("deploying template.yaml")
        url = f"http://{HOST}:{server.server_port}"
        parameters = {"PublicUrl": url} | providers.parameters(emulator, stand_ins) | parameters
        variables = _PATIENCE | _RECEIVERS | providers.variables(stand_ins)

        def deploy_all() -> None:
            server.deployment = deploy(emulator, parameters, variables, server.gate.closed)
            write_running(state, Running(url=url, emulator_url=emulator.url, outputs=server.deployment.outputs))

        reload = _reload(server, state, deploy_all)
        deploy_all()
        stack.callback(forget_running, state)
        tokens = _development_tokens(state)
        threading.Thread(target=_report_messages, args=(server.inbox,), daemon=True).start()
        threading.Thread(target=reload.watch, args=(server.deployment,), daemon=True).start()
        print(_welcome(url, tokens, time.monotonic() - started), flush=True)
        stack.callback(_stopping)
        server.serve_forever()
    raise KeyboardInterrupt


def _reload(server: LocalServer, state: Path, deploy_all: Callable[[], None]) -> Reload:
    """Looks at the files before they are deployed, so that no change is missed."""

    def redeploy() -> Deployment:
        _development_tokens(state)  # first, so that no call meets a new workflow without its scope
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


def _development_tokens(state: Path) -> DevelopmentTokens:
    """Those of an earlier start stay; the secret one gets the scopes of workflows that are new since."""
    tokens = read_tokens(state)
    every = ",".join(["runs:read", "runs:write", *(f"workflow:{name}" for name in workflows())])
    if tokens is None:
        publishable = "workflow:verify_send,workflow:verify_check"
        tokens = DevelopmentTokens(_issue(state, "secret", every), _issue(state, "publishable", publishable), every)
        write_tokens(state, tokens)
    elif tokens.scopes != every:
        _tokens(state, "rescope", "--name", _DEVELOPMENT.format("secret"), "--scopes", every)
        tokens = msgspec.structs.replace(tokens, scopes=every)
        write_tokens(state, tokens)
    return tokens


def _issue(state: Path, kind: str, scopes: str) -> str:
    words = ["--json", "--name", _DEVELOPMENT.format(kind), "--kind", kind, "--scopes", scopes]
    return str(json.loads(_tokens(state, "issue", *words))["token"])


def _tokens(state: Path, *words: str) -> str:
    """In a process of its own, where functions.core.tokens finds its table in the environment."""
    command = [sys.executable, "-m", "infra.tokens", "--state", str(state), *words]
    done = subprocess.run(command, cwd=sam.ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise LocalStackError(f"The development tokens could not be issued: {done.stderr.strip()}")
    return done.stdout


def _welcome(url: str, tokens: DevelopmentTokens, seconds: float) -> str:
    headers = f"-H 'authorization: Bearer {tokens.secret}' -H 'content-type: application/json'"
    return f"""
ready in {seconds:.1f} s
  url          {url}
  secret       {tokens.secret}
  publishable  {tokens.publishable}

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
                say(f"{message['channel']} to {message['to']}: {' '.join(message['text'].split())[:100]}")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
