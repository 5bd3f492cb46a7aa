"""AWS services that code uses, and names by which it may call their operations.

Services are the first arguments of `aws.client`, and of `direct.request` and `direct.ask`. A
service that only core and the API use is cut to the operations that they name. A workflow's own
client gets its whole service. Where the services cannot be read from the code, all are kept whole.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from infra.artifacts.reach import PROJECT, Reach, of

_AWS = f"{PROJECT}.core.aws"
_SDK = ("boto3", "botocore")
_ON_OUR_CLIENTS = ("aws_lambda_powertools", "boto3", "botocore", "pynamodb", "s3transfer", _AWS)
"""Packages that import AWS's SDK and use the clients that they are given."""
_BY_ARGUMENT = (f"{_AWS}.clients", f"{_AWS}.direct")
"""Modules that make clients of any service that they are asked for."""
_FACTORIES = {
    f"{_AWS}.{each}" for each in ("client", "clients.client", "direct.request", "direct.ask")
}
_CALLERS = (PROJECT, "aws_lambda_powertools", "pynamodb")
"""Packages that call operations."""
_MADE_BY = {f"{_AWS}.dynamodb": "dynamodb"}
"""Services of clients that a package makes, by the module that has it made: here PynamoDB."""


class AwsCalls(NamedTuple):
    """Services and operations that a function may use."""

    whole: frozenset[str]
    """Services of which everything is kept."""
    cut: frozenset[str]
    """Services of which only operations are kept that `words` name."""
    words: frozenset[str]
    """Attributes and texts of the code; among them is each operation that it calls."""
    any_service: bool
    """Whether any service may be used."""


def aws_calls(reach: Reach) -> AwsCalls:
    """Reads the reached modules."""
    whole, cut, words = set[str](), set[str](), set[str]()
    any_service = any(_uses_sdk(module, names) for module, names in reach.modules.items())
    for module in reach.modules:
        if not any(of(module, each) for each in _CALLERS) or reach.file(module).suffix != ".py":
            continue
        source = reach.file(module).read_bytes()
        words |= _words(source)
        if of(module, PROJECT) and module not in _BY_ARGUMENT:
            services = _services(source)
            any_service |= None in services
            named = {each for each in services if each}
            (whole if of(module, f"{PROJECT}.workflows") else cut).update(named)
    cut |= {service for module, service in _MADE_BY.items() if module in reach.modules}
    return AwsCalls(frozenset(whole), frozenset(cut - whole), frozenset(words), any_service)


def _uses_sdk(module: str, names: set[str]) -> bool:
    """Whether a module may make clients of its own."""
    ours = any(of(module, each) for each in _ON_OUR_CLIENTS)
    sdk = (*_SDK, f"{_AWS}.session", f"{_AWS}.clients.session")
    return not ours and any(of(name, each) for name in names for each in sdk)


@cache
def _words(source: bytes) -> frozenset[str]:
    nodes = ast.walk(ast.parse(source))
    return frozenset(
        str(node.attr if isinstance(node, ast.Attribute) else node.value)
        for node in nodes
        if isinstance(node, ast.Attribute)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    )


@cache
def _services(source: bytes) -> frozenset[str | None]:
    """Services of the clients that a module makes; with null if one cannot be read."""
    tree = ast.parse(source)
    factories = set(_factories(tree))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [each for each in calls if ast.unparse(each.func) in factories]
    named = {service for call in made for service in _named(call, tree)}
    mentioned = [node for node in ast.walk(tree) if _mentions(node, factories)]
    return frozenset(named | ({None} if len(mentioned) > len(made) else set()))


def _factories(tree: ast.Module) -> Iterator[str]:
    """Names under which a module makes clients and direct requests."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            name, known_as = f"{node.module}.{alias.name}", alias.asname or alias.name
            if name in {_AWS, f"{_AWS}.clients"}:
                yield f"{known_as}.client"
            elif name == f"{_AWS}.direct":
                yield from (f"{known_as}.request", f"{known_as}.ask")
            elif name in _FACTORIES:
                yield known_as


def _mentions(node: ast.AST, factories: set[str]) -> bool:
    readable = isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
    return readable and ast.unparse(node) in factories


def _named(call: ast.Call, tree: ast.Module) -> set[str | None]:
    """Services that the first argument of a call can be; null if it cannot be read."""
    service = call.args[0] if call.args else None
    if isinstance(service, ast.Constant):
        return {str(service.value)}
    if not isinstance(service, ast.Name):
        return {None}
    return set(_values(service.id, tree)) or {None}


def _values(name: str, tree: ast.Module) -> Iterator[str]:
    """Texts that a loop goes through, or that the type of an argument allows."""
    aliases = {
        ast.unparse(each.targets[0]): each.value
        for each in tree.body
        if isinstance(each, ast.Assign)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and ast.unparse(node.target) == name:
            yield from _texts(node.iter)
        elif isinstance(node, ast.arg) and node.arg == name and node.annotation:
            kind = aliases.get(ast.unparse(node.annotation), node.annotation)
            if ast.unparse(kind).startswith("Literal["):
                yield from _texts(kind)


def _texts(node: ast.expr) -> Iterator[str]:
    yield from (
        str(each.value)
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )
