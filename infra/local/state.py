"""State folder of a local stack, and the file that says where a running one is."""

import os
from pathlib import Path

import msgspec

from infra.local.emulator import REGION
from infra.local.errors import LocalStackError
from infra.sam import ROOT


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A running local stack."""

    url: str
    """URL of the API and of /_local/."""
    emulator_url: str
    emulator_key: str = ""
    """Key of this run, for `/_ministack/` of the emulator."""
    outputs: dict[str, str]
    """Outputs of the stack."""
    region: str = REGION


def default_state() -> Path:
    """State folder: the variable STATE, or .local in the project."""
    return Path(os.environ.get("STATE") or ROOT / ".local").absolute()


def write_running(state: Path, running: Running) -> None:
    """Records a running stack."""
    write_private(_file(state), msgspec.json.encode(running))


def read_running(state: Path) -> Running:
    """The stack that runs on a state. Raises `LocalStackError` if there is none."""
    try:
        return msgspec.json.decode(_file(state).read_bytes(), type=Running)
    except FileNotFoundError:
        raise LocalStackError(
            "The local stack is not running. Start it in another terminal: make run"
        ) from None


def forget_running(state: Path) -> None:
    """Records that the stack is down."""
    _file(state).unlink(missing_ok=True)


def make_private(state: Path) -> None:
    """Makes the state folder, and files that this process creates, readable by the user only."""
    os.umask(0o077)
    own = not state.exists() or (state / "lock").exists()
    state.mkdir(parents=True, exist_ok=True)
    if own:  # a shared folder stays shared; files in it are private anyway
        state.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file atomically by one that only the user can read."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.replace(path)


def _file(state: Path) -> Path:
    return state / "running.json"
