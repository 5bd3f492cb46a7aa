"""Private files: only the user can read what the local stack keeps on disk."""

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.captured import message
from infra.local.emulator import Emulator, refuse_running
from infra.local.errors import LocalStackError
from infra.local.inbox import Inbox
from infra.local.state import Running, make_private, read_running, write_private, write_running


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_state_folder_and_what_comes_into_it_is_private(tmp_path: Path) -> None:
    state = tmp_path / "a/state"
    make_private(state)
    (state / "file").write_text("")
    (state / "folder").mkdir()
    assert [mode(path) for path in (state, state / "file", state / "folder")] == [
        0o700,
        0o600,
        0o700,
    ]


def test_the_folder_of_an_earlier_version_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    tmp_path.chmod(0o755)
    make_private(tmp_path)
    assert mode(tmp_path) == 0o700


def test_a_folder_that_somebody_shares_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    make_private(tmp_path)
    assert mode(tmp_path) == 0o1777


def test_captured_messages_are_private_also_in_a_file_that_was_not(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox.json"
    inbox.write_text("{}")
    assert mode(inbox) == 0o644
    Inbox(Emulator("http://127.0.0.1:9", "key"), tmp_path).add(
        message("sms", "+14155550100", None, "code 123456")
    )
    assert mode(inbox) == 0o600
    assert "123456" in inbox.read_text()
    assert list(tmp_path.iterdir()) == [inbox]


def test_the_key_of_the_run_is_private(tmp_path: Path) -> None:
    running = Running(
        url="http://127.0.0.1:1", emulator_url="http://127.0.0.1:2", emulator_key="key", outputs={}
    )
    (tmp_path / "running.json").write_text("")
    write_running(tmp_path, running)
    assert mode(tmp_path / "running.json") == 0o600
    assert read_running(tmp_path) == running


def test_a_half_written_file_of_a_crash_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file.new").write_text("half")
    (tmp_path / "file.new").chmod(0o644)
    write_private(tmp_path / "file", b"whole")
    assert ((tmp_path / "file").read_bytes(), mode(tmp_path / "file")) == (b"whole", 0o600)


def test_a_state_is_refused_only_while_a_stack_runs_on_it(tmp_path: Path) -> None:
    refuse_running(tmp_path)  # nothing ran on it yet
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LocalStackError, match="already running on the state"):
            refuse_running(tmp_path)
    refuse_running(tmp_path)
