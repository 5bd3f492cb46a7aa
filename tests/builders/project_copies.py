"""Copies of the project that a test may change."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

NOT_IN_A_COPY = shutil.ignore_patterns(".*", "__pycache__", "docs", "template.yaml.before")


def git(project: Path, *words: str) -> None:
    """Runs git with an identity of its own."""
    identity = [
        "-c",
        "user.name=tests",
        "-c",
        "user.email=tests@example.com",
        "-c",
        "commit.gpgsign=false",
    ]
    command = ["git", *identity, *words]
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def run(clone: Path, *commands: list[str]) -> None:
    """Runs modules in parallel, because each mostly waits for other processes."""
    pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = [
        subprocess.Popen([sys.executable, "-m", *words], cwd=clone, **pipe) for words in commands
    ]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(started), "\n".join(said)
