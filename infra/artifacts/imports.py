"""Imports of one Python source: all of them, those within functions and dynamic ones, too."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

ANY = "*"
"""Stands in a name for the part that only a run can tell."""

_IMPORTERS = {"import_module", "__import__"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_UNMATCHED = (*_FUNCTIONS, ast.Try, ast.If, ast.With)
"""Statements whose imports may fail or not happen, and the module is imported all the same."""


class Imports(NamedTuple):
    """Imports of a module, by absolute names."""

    names: frozenset[str]
    """Modules, or attributes of modules: `from a import b` is `a.b`. Parts may be `*`."""
    required: frozenset[str]
    """Modules without which the module cannot be imported."""
    unknown: bool
    """Whether it imports by a name that cannot be read from the source."""
    later: frozenset[str]
    """Names that its `__getattr__` imports (PEP 562), for who asks for what it does not bind."""
    bound: frozenset[str]
    """Names that it binds when it is imported."""


@cache
def imports_of(module: str, source: bytes, *, package: bool) -> Imports:
    """Reads a source.

    Args:
        module: its name.
        source: its text.
        package: whether it is a package's `__init__`.
    """
    parent = module if package else module.rpartition(".")[0]
    body = ast.parse(source).body
    later = [each for each in body if isinstance(each, _FUNCTIONS) and each.name == "__getattr__"]
    # Without such a call, expressions, which are most of a source, have nothing to tell.
    calls = any(name.encode() in source for name in _IMPORTERS)
    at_once = [each for each in body if each not in later]
    names, required, unknown = _read(_nodes(at_once, calls=calls), module, parent)
    asked, _, unknown_later = _read(_nodes(later, calls=calls), module, parent)
    return Imports(
        frozenset(names),
        frozenset(required),
        unknown or unknown_later,
        frozenset(asked),
        frozenset(_bound(body)),
    )


def _read(
    nodes: Iterable[tuple[ast.AST, bool]], module: str, parent: str
) -> tuple[set[str], set[str], bool]:
    """All names that are imported, those that are needed, and whether one cannot be read."""
    names: set[str] = set()
    required: set[str] = set()
    for node, certain in nodes:
        if isinstance(node, ast.Call):
            names.add(_imported_by(node, module, parent))
            continue
        found = _stated(node, parent)
        names.update(found)
        if certain:
            required.update(_modules(node, found))
    return names - {"", ANY}, required, ANY in names


def _bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that statements bind, in branches too; those of functions and classes stay in them."""
    left: list[ast.AST] = list(body)
    while left:
        node = left.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        else:
            left += _children(node)


def _nodes(body: Sequence[ast.stmt], *, calls: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Imports and calls of importers; with each, whether it happens at every import."""
    left: list[tuple[ast.AST, bool]] = [(each, True) for each in body]
    while left:
        node, certain = left.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, certain
            continue
        if isinstance(node, ast.Call) and _name(node.func) in _IMPORTERS:
            yield node, certain
        inner = certain and not isinstance(node, _UNMATCHED)
        left += [
            (each, inner)
            for each in _children(node)
            if calls or not isinstance(each, ast.expr | ast.expr_context)
        ]


def _children(node: ast.AST) -> list[ast.AST]:
    """Parts of a node that run."""
    if isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING":
        return list(node.orelse)
    return list(ast.iter_child_nodes(node))


def _stated(node: ast.AST, parent: str) -> set[str]:
    if isinstance(node, ast.Import):
        # `import a.b` binds a, of which anything may be asked.
        return {each for alias in node.names for each in above(alias.name)}
    if not isinstance(node, ast.ImportFrom):
        return set()
    origin = _absolute("." * node.level + (node.module or ""), parent)
    return {origin if alias.name == "*" else f"{origin}.{alias.name}" for alias in node.names}


def above(name: str) -> Iterator[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`."""
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _modules(node: ast.AST, found: set[str]) -> set[str]:
    """Those of the names that are certainly modules."""
    if isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
        return {name.rpartition(".")[0] for name in found}
    return found


def _imported_by(call: ast.Call, module: str, parent: str) -> str:
    """Name that a call of an importer imports; `*` if only a run can tell."""
    text = _text(call.args[0], {"__name__": module, "__package__": parent}) if call.args else ANY
    return _absolute(text, parent) if text.strip(f"{ANY}.") else ANY


def _text(node: ast.expr, known: dict[str, str]) -> str:
    """An expression's text, with `*` for its unknown parts."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return known.get(node.id, ANY)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each, known) for each in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, known)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, known) + _text(node.right, known)
    return ANY


def _absolute(name: str, parent: str) -> str:
    bare = name.lstrip(".")
    above = len(name) - len(bare)
    if not above:
        return name
    parts = parent.split(".")
    return ".".join([*parts[: len(parts) - above + 1], *([bare] if bare else [])])


def _name(node: ast.expr) -> str:
    """Last name of `a.b.c`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
