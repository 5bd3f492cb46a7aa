"""Generated parts of documents: tables in markdown, between two lines that say who writes them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from infra import sam

_RULES = {"l": "---", "r": "---:"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]], sides: str) -> str:
    """Markdown. `sides`: l or r for each column."""
    lines = (head, [_RULES[side] for side in sides], *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def replaced(page: str, lines: tuple[str, str], part: str, file: Path) -> str:
    """A page with another generated part. Raises `ValueError` if it has no place for one.

    Args:
        page: its text.
        lines: that begin and end the part.
        part: the new one.
        file: of the page.
    """
    first, last = lines
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{file.relative_to(sam.ROOT)} has lost its lines {first} and {last}.")
    return f"{before}{begin}\n\n{part}\n\n{end}{after}"
