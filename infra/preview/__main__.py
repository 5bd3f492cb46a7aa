"""`make preview`: shows every email in every locale, and updates it when a file changes."""

import os
import signal
import sys
from typing import NoReturn

from infra import sam
from infra.local.errors import LocalStackError, PortInUse
from infra.local.loopback import HOST
from infra.preview.server import PreviewServer
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
    try:
        server = PreviewServer(arguments.port, os.environ | _DEFAULTS | arguments.variables)
    except OSError:
        raise PortInUse(arguments.port, "make preview") from None
    with server:
        print(f"emails are shown at http://{HOST}:{server.server_port}  (Ctrl-C stops)", flush=True)
        server.serve_forever()


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
