"""What a running local stack leaves on disk for other commands: where it is, and its development tokens."""

import os
from pathlib import Path

import msgspec

from infra.local.emulator import REGION
from infra.local.errors import LocalStackError
from infra.sam import ROOT


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A local stack that is up."""

    url: str
    """The API and /_local/."""
    emulator_url: str
    outputs: dict[str, str]
    """Of the stack."""
    region: str = REGION


class DevelopmentTokens(msgspec.Struct, frozen=True):
    """The tokens that `make run` shows. They open the local stack only."""

    secret: str
    publishable: str
    scopes: str = ""
    """Of the secret one, comma-separated."""


def default_state() -> Path:
    """The state folder: the variable STATE, or .local in the project."""
    return Path(os.environ.get("STATE") or ROOT / ".local").absolute()


def write_running(state: Path, running: Running) -> None:
    """Notes that a stack is up."""
    _file(state).write_bytes(msgspec.json.encode(running))


def read_running(state: Path) -> Running:
    """Raises `LocalStackError` when no stack is up on this state."""
    try:
        return msgspec.json.decode(_file(state).read_bytes(), type=Running)
    except FileNotFoundError:
        raise LocalStackError("The local stack is not running. Start it in another terminal: make run") from None


def forget_running(state: Path) -> None:
    """Notes that the stack is down."""
    _file(state).unlink(missing_ok=True)


def read_tokens(state: Path) -> DevelopmentTokens | None:
    """The tokens of an earlier start on this state."""
    path = state / "tokens.json"
    return msgspec.json.decode(path.read_bytes(), type=DevelopmentTokens) if path.exists() else None


def write_tokens(state: Path, tokens: DevelopmentTokens) -> None:
    """Keeps the tokens for later starts, readable by the user only."""
    path = state / "tokens.json"
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(tokens))


def _file(state: Path) -> Path:
    return state / "running.json"
