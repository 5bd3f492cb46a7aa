"""Results that are kept in the state's folder for the next start.

Each is kept with a digest of itself and of all that it was made of. It is made anew when that has
changed, or the file was damaged. A file that cannot be read or written only costs time.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
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
        """The result, if it was made of this and is whole; none otherwise."""
        try:
            content = self._file.read_bytes()
        except OSError:
            return None
        digest, result = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return result if digest == _digest([*made_of, result]) else None

    def keep(self, made_of: Iterable[bytes], result: bytes) -> None:
        """Replaces the result that was kept before."""
        with suppress(OSError):  # such as a full disk; the next start makes it anew
            write_private(self._file, _digest([*made_of, result]) + result)


def contents(files: Mapping[str, bytes]) -> Iterator[bytes]:
    """What a result is made of that depends on files, by their paths."""
    for path, content in files.items():
        yield path.encode()
        yield content


def _digest(parts: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())  # as the parts' borders count
    return digest.digest()
