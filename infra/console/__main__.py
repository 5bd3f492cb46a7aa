"""`make preview`: serves the console's page Emails alone. It needs neither `make run` nor AWS."""

import os
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

from infra import sam
from infra.console.about import app_name
from infra.console.emails import Emails
from infra.console.handler import ConsoleHandler, ConsoleServer
from infra.console.routes import Route, Routes
from infra.local.errors import LocalStackError, PortInUse
from infra.local.loopback import HOST
from infra.parameters import upper_snake
from infra.settings_arguments import SettingsArguments, read_settings_arguments

DEFAULT_PORT = 8788
_DEFAULTS = {"STAGE": "local", "EMAIL_FROM": "no-reply@example.com", "LOCAL_LINKS": "true"}


def main() -> int:
    """Serves until Ctrl-C; 1 with a sentence if it cannot."""
    signal.signal(signal.SIGINT, _interrupt)  # a shell's background jobs inherit it as ignored
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _serve(read_settings_arguments(sys.argv[1:], DEFAULT_PORT))
    except (LocalStackError, sam.TemplateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
    return 0


def _serve(arguments: SettingsArguments) -> None:
    settings = os.environ | _DEFAULTS | _by_variable(arguments)
    try:
        server = ConsoleServer((HOST, arguments.port), ConsoleHandler)
    except OSError:
        raise PortInUse(arguments.port, "make preview") from None
    server.reads = _reads(settings)
    with server:
        url = f"http://{HOST}:{server.server_port}/console/emails"
        print(f"emails are shown at {url}  (Ctrl-C stops)", flush=True)
        server.serve_forever()


def _by_variable(arguments: SettingsArguments) -> dict[str, str]:
    parameters = {upper_snake(name): value for name, value in arguments.parameters.items()}
    return parameters | arguments.variables


def _reads(settings: Mapping[str, str]) -> Routes:
    """Reads of the page Emails. `url` is null, so the console offers no other page."""
    about = {"url": None, "app_name": app_name(settings), "stage": "local", "root": str(sam.ROOT)}
    emails = Emails(lambda: settings)
    return Routes(Route("GET", "/_local/about", lambda _: about), *emails.routes())


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
