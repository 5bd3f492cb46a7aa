"""Mistakes in functions/settings.toml, found before it is reloaded."""

import re
import subprocess
import sys
from collections.abc import Collection, Mapping

from infra.local.mistake import Mistake
from infra.sam import ROOT
from infra.settings import DECLARATION, MISSING, PLACE

_PLACED = re.compile(rf"({re.escape(PLACE)}):(\d+): (.+)")


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
    done = subprocess.run(
        [sys.executable, "-m", "infra.settings_mistakes", "-"],
        cwd=ROOT,
        input=sources[PLACE],
        capture_output=True,
        check=False,
    )
    # Anything else that it says is of code that cannot be imported, which is told elsewhere.
    placed = filter(None, map(_PLACED.fullmatch, done.stderr.decode().splitlines()))
    return [Mistake(found[3], found[1], int(found[2])) for found in placed]
