"""Mistakes in functions/settings.toml and in sources.toml, found before they are reloaded."""

import re
import subprocess
import sys
from collections.abc import Collection, Mapping

from infra.local.mistake import Mistake
from infra.sam import ROOT
from infra.settings import DECLARATION, MISSING, PLACE
from infra.source_mistakes import PLACE as SOURCES_PLACE

_PLACED = re.compile(rf"({re.escape(PLACE)}|{re.escape(SOURCES_PLACE)}):(\d+): (.+)")
_WORKFLOW = re.compile(r"functions/workflows/[^/]+/handler\.py")


def find_wrong_settings(sources: Mapping[str, bytes], changed: Collection[str]) -> list[Mistake]:
    """Mistakes in the file as it is now, if it has changed or a settings type has.

    A process of its own looks at it, because this one has imported the types as they were.

    Args:
        sources: what the files of functions/ hold, by their paths.
        changed: paths of those that have changed.
    """
    concerned = [
        path for path in changed if path == PLACE or DECLARATION.encode() in sources.get(path, b"")
    ]
    if not concerned:
        return []
    if PLACE not in sources:
        return [Mistake(MISSING, PLACE, 1)]
    return _found_by("infra.settings_mistakes", sources[PLACE])


def find_wrong_sources(sources: Mapping[str, bytes], changed: Collection[str]) -> list[Mistake]:
    """Mistakes in sources.toml, if it has changed or a workflow is gone. Arguments as above."""
    gone = any(_WORKFLOW.fullmatch(path) and path not in sources for path in changed)
    if SOURCES_PLACE not in sources or not (gone or SOURCES_PLACE in changed):
        return []
    return _found_by("infra.source_mistakes", sources[SOURCES_PLACE])


def _found_by(module: str, content: bytes) -> list[Mistake]:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", module, "-"],
        cwd=ROOT,
        input=content,
        capture_output=True,
        check=False,
    )
    # Anything else that it says is of code that cannot be imported, which is told elsewhere.
    placed = filter(None, map(_PLACED.fullmatch, done.stderr.decode().splitlines()))
    return [Mistake(found[3], found[1], int(found[2])) for found in placed]
