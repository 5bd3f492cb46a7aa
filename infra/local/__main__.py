"""`make run`: deploys template.yaml into the emulator and serves it until Ctrl-C."""

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from infra import sam
from infra.local import development
from infra.local.debugging.waiting import debugging
from infra.local.deploy import STACK
from infra.local.emulator import refuse_running, starting_emulator
from infra.local.errors import LocalStackError, PortInUse
from infra.local.server import LocalServer
from infra.local.state import default_state, make_private
from infra.local.terminal import say
from infra.settings_arguments import SettingsArguments, read_settings_arguments
from infra.settings_mistakes import refuse_mistakes

DEFAULT_PORT = 8787
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_DEFAULTS = {"Stage": "local", "EmailFrom": "no-reply@example.com"}
"""Parameters without a default in the template, or with another one here."""


def main() -> int:
    """Runs the stack; 1 with a sentence if it cannot run."""
    for ending in _ENDINGS:  # also SIGINT, which a shell's background jobs inherit as ignored
        signal.signal(ending, _interrupt)
    started = time.monotonic()
    try:
        arguments = read_settings_arguments(sys.argv[1:], DEFAULT_PORT)
        refuse_mistakes()
        _run(arguments, started)
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


def _run(arguments: SettingsArguments, started: float) -> NoReturn:
    state = Path(arguments.state or default_state()).absolute()
    make_private(state)
    refuse_running(state)  # first, as another port would not help then
    debugged = debugging(arguments.debug, state) if arguments.debug else None
    with ExitStack() as exits:
        server = exits.enter_context(_listen(arguments.port))
        say("starting the emulator")
        emulator, wait = exits.enter_context(
            starting_emulator(state, debugged.variables(STACK) if debugged else None)
        )
        from infra.local.stack import Given, LocalStack  # noqa: PLC0415 - while the emulator starts

        parameters = _DEFAULTS | arguments.parameters
        given = Given(state, parameters, arguments.variables, debugged)
        stack = LocalStack(server, emulator, given)
        wait()
        stack.deploy(exits)
        stack.watch()
        print(_welcome(server.url, time.monotonic() - started), flush=True)
        exits.callback(_stopping)
        server.serve_forever()
    raise KeyboardInterrupt


def _listen(port: int) -> LocalServer:
    """Binds the port first, so that a port in use is reported at once."""
    try:
        return LocalServer(port, say)
    except OSError:
        raise PortInUse(port, "make run") from None


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


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
