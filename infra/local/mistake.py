"""A mistake in a file of the project, as it is told to whoever made it."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """What is wrong, and where."""

    what: str
    """Such as `SyntaxError: '(' was never closed`."""
    file: str = ""
    """From the project's folder; empty where no file of it is to blame."""
    line: int | None = None
    text: str = ""
    """Of the line."""

    def __str__(self) -> str:
        """For the terminal: place and error, and the line below them."""
        return f"{self.sentence}\n    {self.text.strip()}" if self.text.strip() else self.sentence

    @property
    def sentence(self) -> str:
        """Place and error in one line."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return f"{place if self.file else ''}{self.what}"
