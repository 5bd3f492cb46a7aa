"""Serves an unchanged MiniStack behind the guard, in the process that emulator.py starts."""

import asyncio
import os
import resource
import sys
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.local.guard import KEY_VARIABLE, Guard
from infra.local.refused_emails import RefusedEmails

_KEEP_ALIVE_SECONDS = 75
"""MiniStack's own value."""


def main() -> None:
    """Serves until SIGTERM, when MiniStack saves its state."""
    key = os.environ.pop(KEY_VARIABLE)  # before anything can hand it on to the functions' processes
    from ministack.app import app  # noqa: PLC0415 - reads the environment

    _raise_open_files()
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
    config.loglevel = os.environ["LOG_LEVEL"]
    emulator = RefusedEmails(app)
    guarded: Any = Guard(emulator, key, _report)  # hypercorn's types are narrower than ASGI
    asyncio.run(serve(guarded, config, mode="asgi"))


def _raise_open_files() -> None:
    """Raises the limit, as MiniStack does: a burst of connections needs more than 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
