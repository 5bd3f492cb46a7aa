"""Modules and distributions in the folders of an import path."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

_COMPILED = (".so", ".pyd")


class Tree:
    """Folders as an import path: those of an artifact, or the project and its site-packages."""

    def __init__(self, *roots: Path) -> None:
        self.roots = roots
        self._found: dict[str, Path | None] = {}

    def find(self, module: str) -> Path | None:
        """A module's file, its folder if it is a package without `__init__`, or null."""
        if module not in self._found:
            self._found[module] = self._find(module)
        return self._found[module]

    def file(self, module: str) -> Path:
        """As `find`. Raises `LookupError` if there is no such module."""
        if found := self.find(module):
            return found
        raise LookupError(f"there is no module {module}")

    def _find(self, module: str) -> Path | None:
        package, _, _ = module.rpartition(".")
        above = self.find(package) if package else None
        if package and not (above and (above.is_dir() or above.name == "__init__.py")):
            return None
        place = Path(*module.split("."))
        for root in self.roots:
            for each in (root / place / "__init__.py", root / place.with_suffix(".py")):
                if each.is_file():
                    return each
            if compiled := next(_compiled(root / place), None):
                return compiled
        return next((root / place for root in self.roots if (root / place).is_dir()), None)

    def matching(self, pattern: str) -> set[str]:
        """Names of the modules that match a pattern such as `a.*.data`."""
        fixed = pattern.partition("*")[0].rpartition(".")[0]
        return {name for name in self.below(fixed) if fnmatchcase(name, pattern)}

    def below(self, package: str) -> set[str]:
        """A package with all modules in it."""
        found = {package} if self.find(package) else set()
        folder = Path(*package.split("."))
        for root in self.roots:
            for path in (root / folder).rglob("*"):
                if path.suffix in {".py", *_COMPILED}:
                    found.add(name_of(path.relative_to(root)))
        return found

    def distribution(self, module: str) -> "Distribution | None":
        """The distribution that a module belongs to."""
        return next((each for each in self.distributions if module in each.modules), None)

    @cached_property
    def distributions(self) -> list["Distribution"]:
        """All distributions, from the records that their installer made."""
        records = [record for root in self.roots for record in root.glob("*.dist-info/RECORD")]
        return [Distribution(record) for record in sorted(records)]


class Distribution:
    """An installed distribution."""

    def __init__(self, record: Path) -> None:
        root = record.parents[1]
        names = [line.rsplit(",", 2)[0] for line in record.read_text().splitlines()]
        self.metadata = record.with_name("METADATA")
        self.entry_points = record.with_name("entry_points.txt")
        self.files = {root / name for name in names}
        self.modules = {
            name_of(Path(name)) for name in names if Path(name).suffix in {".py", *_COMPILED}
        }


def name_of(path: Path) -> str:
    """Name of the module in a file, whose path is relative to the import path."""
    stem = path.name.partition(".")[0]
    return ".".join(path.parent.parts if stem == "__init__" else (*path.parent.parts, stem))


def is_compiled(path: Path) -> bool:
    """Whether a file is a module of machine code."""
    return path.suffix in _COMPILED


def _compiled(place: Path) -> Iterator[Path]:
    yield from (path for path in place.parent.glob(f"{place.name}.*") if is_compiled(path))
