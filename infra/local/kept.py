"""Results that are kept in the state's folder for the next start.

Each is kept with a digest of all that it was made of, and is made anew when that has changed.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from infra.local.state import write_private

_DIGEST_BYTES = 32


class Kept:
    """One result in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def exists(self) -> bool:
        """Whether an earlier start has kept a result, of whatever."""
        return self._file.exists()

    def find(self, made_of: Iterable[bytes]) -> bytes | None:
        """The result, if it was made of this; none otherwise."""
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            return None
        same = content[:_DIGEST_BYTES] == _digest(made_of)
        return content[_DIGEST_BYTES:] if same else None

    def keep(self, made_of: Iterable[bytes], result: bytes) -> None:
        """Replaces the result that was kept before."""
        write_private(self._file, _digest(made_of) + result)


def _digest(parts: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())  # as the parts' borders count
    return digest.digest()
