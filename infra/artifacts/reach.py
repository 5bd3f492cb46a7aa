"""The modules that a handler can import, at once or later."""

import sys
from fnmatch import fnmatchcase
from pathlib import Path

from infra.artifacts.declared import CUTS, DYNAMIC, NEEDS, Cut
from infra.artifacts.imports import ANY, Imports, above, imports_of
from infra.artifacts.tree import Tree, is_compiled

PROJECT = "functions"

_NOTHING = Imports(frozenset(), frozenset(), False, frozenset(), frozenset())
_OF_LAMBDA = {"awslambdaric", "snapshot_restore_py"}
"""Packages of Lambda's runtime, which are in no artifact."""


class Reach:
    """Modules that a handler can import, by name, with the names that each of them imports."""

    def __init__(self, tree: Tree, *modules: str) -> None:
        """Walks from modules, such as `functions.workflows.verify_check.handler`."""
        self.modules: dict[str, set[str]] = {}
        self.tree = tree
        self._importable: dict[str, bool] = {}
        self._cuts: tuple[Cut, ...] = ()
        packages = self._walk(set(modules), PROJECT)
        self._cuts = tuple(cut for cut in CUTS if self._holds(cut))
        self._walk(packages, "")

    def file(self, module: str) -> Path:
        """File of a reached module, or its folder if it is a package without `__init__`."""
        return self.tree.file(module)

    def importers(self, package: str) -> set[str]:
        """Modules of the project that import a package."""
        return {
            module
            for module, names in self.modules.items()
            if of(module, PROJECT) and any(of(name, package) for name in names)
        }

    def _holds(self, cut: Cut) -> bool:
        package = cut.importer.partition(".")[0]
        return all(_matches(each, cut.users) for each in self.importers(package))

    def _walk(self, names: set[str], within: str) -> set[str]:
        """Follows imports within a package; returns the names of others."""
        left, others = set(names), set[str]()
        while left:
            name = left.pop()
            for module in self._resolved(name):
                if within and not of(module, within):
                    others.add(name)
                    continue
                known = self.modules.setdefault(module, set())
                more = (self._asked_for(module, name) | self._imported(module)) - known
                known |= more
                left |= more
        return others

    def _resolved(self, name: str) -> set[str]:
        """Modules that the import of a name imports: its packages come first.

        None if one of them cannot be imported, as the import then fails.
        """
        if ANY in name:
            return {each for found in self.tree.matching(name) for each in self._resolved(found)}
        found = set[str]()
        for module in above(name):
            if self.tree.find(module) is None:
                break
            if not self._can_be_imported(module):
                return set()
            found.add(module)
        return found

    def _asked_for(self, module: str, name: str) -> frozenset[str]:
        """Names that a module's `__getattr__` may import for who imports a name of it."""
        imports = self._read(module)
        attribute = name.removeprefix(f"{module}.").partition(".")[0]
        known = attribute in imports.bound or self.tree.find(f"{module}.{attribute}")
        return frozenset() if name != module and known else imports.later

    def _imported(self, module: str) -> set[str]:
        imports = self._read(module)
        names = {*imports.names, *DYNAMIC.get(module, ()), *NEEDS.get(module, ())}
        names |= {more for name in imports.names for more in NEEDS.get(name.partition(".")[0], ())}
        if module not in DYNAMIC and not of(module, PROJECT):
            names |= self._hidden(module)
        cuts = [cut for cut in self._cuts if cut.importer == module]
        return {name for name in names if not any(_is_cut(name, cut) for cut in cuts)}

    def _hidden(self, module: str) -> set[str]:
        """Names that a module may import without saying so."""
        if is_compiled(self.file(module)) and (whole := self.tree.distribution(module)):
            return whole.modules
        return self.tree.below(module.partition(".")[0]) if self._read(module).unknown else set()

    def _can_be_imported(self, module: str) -> bool:
        """Whether a module is there with all that it cannot be imported without."""
        if module not in self._importable:
            self._importable[module] = True  # a cycle
            required = self._read(module).required if self.tree.find(module) else None
            self._importable[module] = required is not None and all(map(self._is_there, required))
        return self._importable[module]

    def _is_there(self, module: str) -> bool:
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names | _OF_LAMBDA:
            return True
        # A package may make a module at run time, as `six` makes six.moves.
        return self._can_be_imported(module if self.tree.find(module) else top)

    def _read(self, module: str) -> Imports:
        file = self.file(module)
        if file.suffix != ".py":
            return _NOTHING
        return imports_of(module, file.read_bytes(), package=file.stem == "__init__")


def of(name: str, package: str) -> bool:
    """Whether a name is a package's or of something in it."""
    return name == package or name.startswith(f"{package}.")


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_cut(name: str, cut: Cut) -> bool:
    return _matches(name, cut.imported) and not _matches(name, cut.kept)
