"""A mistake in a file of the project."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """An error and its place."""

    what: str
    """The error, such as `SyntaxError: '(' was never closed`."""
    file: str = ""
    """Path in the project; empty if none of its files is at fault."""
    line: int | None = None
    text: str = ""
    """Content of the line."""

    def __str__(self) -> str:
        """Text for the terminal: place and error, and the line below them."""
        return f"{self.sentence}\n    {self.text.strip()}" if self.text.strip() else self.sentence

    @property
    def sentence(self) -> str:
        """Place and error in one line."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return f"{place if self.file else ''}{self.what}"
