"""botocore's data about services, cut to what a function uses.

Everything about regions and partitions stays: the rules of endpoints of each used service, whole,
and all partitions in endpoints.json, of which only other services go.
"""

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore import xform_name

from infra.artifacts.aws_calls import AwsCalls

_LAZY = {"paginators-1": "get_paginator", "waiters-2": "get_waiter"}
"""Files that only these methods of a client read."""

_BY_BOTOCORE = {"s3": {"HeadBucket", "CreateSession"}}
"""Operations that botocore calls itself: to find a bucket's region, and for directory buckets."""

Model = dict[str, Any]


def cut_data(data: Path, calls: AwsCalls) -> None:
    """Cuts botocore's data, in the folder `botocore/data`."""
    if calls.any_service:
        return
    for service in sorted(each for each in data.iterdir() if each.is_dir()):
        if service.name not in calls.whole | calls.cut:
            shutil.rmtree(service)
            continue
        # botocore takes the last version where none is named.
        *old, version = sorted(service.iterdir())
        for each in old:
            shutil.rmtree(each)
        _cut_version(version, calls, whole=service.name in calls.whole)
    _cut_endpoints(data / "endpoints.json", set(_endpoint_prefixes(data)))


def operations(model: Model, words: frozenset[str]) -> Iterator[str]:
    """Operations of a service that code names, as `PutItem` or as `put_item`."""
    yield from (each for each in model["operations"] if {each, xform_name(each)} & words)


def cut_model(model: Model, kept: set[str]) -> Model:
    """A service's model with some of its operations, their shapes and all errors, undocumented."""
    shapes = model["shapes"]
    about = {name: model["operations"][name] for name in sorted(kept)}
    left = {name for name, shape in shapes.items() if shape.get("exception")}
    left |= set(_shapes_named(about))
    reached = set[str]()
    while left:
        reached |= left
        left = {name for each in left for name in _shapes_named(shapes[each])} - reached
    kept_shapes = {name: shapes[name] for name in sorted(reached)}
    # Documentation of other parts stays, as botocore reads that of clientContextParams.
    return {
        **{part: value for part, value in model.items() if part != "documentation"},
        "operations": _without_documentation(about),
        "shapes": _without_documentation(kept_shapes),
    }


def _cut_version(folder: Path, calls: AwsCalls, *, whole: bool) -> None:
    (folder / "examples-1.json").unlink(missing_ok=True)
    for name, method in _LAZY.items():
        if not whole and method not in calls.words:
            for file in folder.glob(f"{name}.*"):
                file.unlink()
    for file in sorted(folder.glob("*.json.gz")):
        content: Model = json.loads(gzip.decompress(file.read_bytes()))
        if file.name.startswith("service-2.") and not whole:
            own = _BY_BOTOCORE.get(folder.parent.name, set())
            content = cut_model(content, own.union(operations(content, calls.words)))
        file.unlink()
        # Not compressed: the zip is, and a cold start need not unpack it twice.
        _write(file.with_suffix(""), content)


def _endpoint_prefixes(data: Path) -> Iterator[str]:
    for file in data.glob("*/*/service-2.json"):
        yield json.loads(file.read_bytes())["metadata"]["endpointPrefix"]
        yield file.parts[-3]


def _cut_endpoints(file: Path, services: set[str]) -> None:
    endpoints = json.loads(file.read_bytes())
    for partition in endpoints["partitions"]:
        listed = partition["services"]
        partition["services"] = {name: listed[name] for name in listed if name in services}
    _write(file, endpoints)


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")))


def _shapes_named(node: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Names of shapes in a part of a model, which refers to them as `{"shape": …}`."""
    if isinstance(node, list):
        for each in node:
            yield from _shapes_named(each)
    elif isinstance(node, dict):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        for each in node.values():
            yield from _shapes_named(each)


def _without_documentation(node: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [_without_documentation(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _without_documentation(each)
        for name, each in node.items()
        # A member of a structure may be called documentation, too; it is no text.
        if not (name == "documentation" and isinstance(each, str))
    }
