"""`make preview`: shows every email in every locale, and updates it when a file changes."""

import os
import signal
import sys
from typing import NoReturn

from infra import sam
from infra.given import Given, read_given, upper_snake
from infra.local.errors import LocalStackError, PortInUse
from infra.local.loopback import HOST
from infra.preview.server import PreviewServer

DEFAULT_PORT = 8788


def main() -> int:
    """Serves until Ctrl-C; 1 with a sentence if it cannot."""
    signal.signal(signal.SIGINT, _interrupt)  # a shell's background jobs inherit it as ignored
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _serve(read_given(sys.argv[1:], DEFAULT_PORT))
    except (LocalStackError, sam.TemplateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
    return 0


def _serve(given: Given) -> None:
    try:
        server = PreviewServer(given.port, os.environ | _settings(given.parameters))
    except OSError:
        raise PortInUse(given.port, "make preview") from None
    with server:
        print(f"emails are shown at http://{HOST}:{server.server_port}  (Ctrl-C stops)", flush=True)
        server.serve_forever()


def _settings(parameters: dict[str, str]) -> dict[str, str]:
    """Environment as functions have it, with the hosts that samples link to."""
    declared = sam.read_template()["Parameters"]
    defaults = {name: str(about.get("Default", "")) for name, about in declared.items()}
    variables = {upper_snake(name): value for name, value in (defaults | parameters).items()}
    hosts = [variables.get("LINK_HOSTS", ""), "*.example.com"]
    return variables | {
        "EMAIL_FROM": "no-reply@example.com",
        "LINK_HOSTS": ",".join(filter(None, hosts)),
        "LOCAL_LINKS": "true",
    }


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
