"""What a local stack leaves on disk, which only its user may read: where it is while it runs."""

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
    emulator_key: str = ""
    """Opens `/_ministack/` of the emulator, in this run."""
    outputs: dict[str, str]
    """Of the stack."""
    region: str = REGION


def default_state() -> Path:
    """The state folder: the variable STATE, or .local in the project."""
    return Path(os.environ.get("STATE") or ROOT / ".local").absolute()


def write_running(state: Path, running: Running) -> None:
    """Notes that a stack is up."""
    write_private(_file(state), msgspec.json.encode(running))


def read_running(state: Path) -> Running:
    """Raises `LocalStackError` when no stack is up on this state."""
    try:
        return msgspec.json.decode(_file(state).read_bytes(), type=Running)
    except FileNotFoundError:
        raise LocalStackError(
            "The local stack is not running. Start it in another terminal: make run"
        ) from None


def forget_running(state: Path) -> None:
    """Notes that the stack is down."""
    _file(state).unlink(missing_ok=True)


def make_private(state: Path) -> None:
    """Lets only the user read the state folder, and what this process makes from now on."""
    os.umask(0o077)
    own = not state.exists() or (state / "lock").exists()
    state.mkdir(parents=True, exist_ok=True)
    if own:  # a folder that somebody shares stays as it is; what comes into it is private anyhow
        state.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file, at once and whole, by one that only the user may read."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.replace(path)


def _file(state: Path) -> Path:
    return state / "running.json"
