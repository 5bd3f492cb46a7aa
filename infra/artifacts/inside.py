"""Runs in an artifact, alone: `python -I -S inside.py <artifact> <runtime client>`.

Imports each module that standard input names, then makes each request of the AWS services that it
names, up to the sending. Prints what fails, as JSON. It imports nothing of infra/.
"""

import importlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def main() -> None:
    """Tries what standard input names."""
    sys.path += sys.argv[1:]
    asked: dict[str, list[str]] = json.load(sys.stdin)
    json.dump([*_imports(asked["modules"]), *_requests(asked["services"])], sys.stdout)


def _imports(names: Iterable[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - all of them are told
            told: dict[str, Any] = {"what": name, "error": f"{type(error).__name__}: {error}"}
            if isinstance(error, ImportError):  # of `from a import b`, b may be a module, too
                told["lacks"] = [str(error.name), f"{error.name}.{error.name_from}"]
            elif not isinstance(error, OSError):  # that is a file which does not ship
                told["lacks"] = []
            yield told


def _requests(services: Iterable[str]) -> Iterator[dict[str, Any]]:
    for service in services:
        try:
            client = _client(service)
            for operation in client.meta.service_model.operation_names:
                shape = client.meta.service_model.operation_model(operation).input_shape
                client._make_api_call(operation, _required(shape))  # noqa: SLF001 - as PynamoDB does
        except Exception as error:  # noqa: BLE001 - all of them are told
            yield {"what": f"AWS {service}", "error": f"{type(error).__name__}: {error}"}


def _client(service: str) -> Any:  # noqa: ANN401 - ships no types
    """A client whose requests get an empty answer before they are sent."""
    import botocore.session  # noqa: PLC0415 - the artifact's
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415 - as above

    def answer(request: Any, event_name: str, **_: object) -> AWSResponse:  # noqa: ANN401 - ships no types
        in_xml = f"<a><{event_name.rpartition('.')[2]}Result/></a>"
        in_json = "json" in client.meta.service_model.metadata["protocol"]
        response = AWSResponse(request.url, 200, {}, None)
        response._content = b"{}" if in_json else in_xml.encode()  # noqa: SLF001 - it has no stream
        return response

    client = botocore.session.get_session().create_client(service, "eu-west-1")
    client.meta.events.register("before-send", answer)
    return client


_LEAST: dict[str, object] = {
    "blob": b"a",
    "boolean": True,
    "double": 1.0,
    "float": 1.0,
    "integer": 1,
    "long": 1,
    "timestamp": 1,
}
"""Least values of simple types, but texts."""


def _required(shape: Any) -> Any:  # noqa: ANN401 - ships no types
    """The least value of a shape."""
    kind = shape.type_name if shape else "structure"
    if kind == "structure":
        members: Mapping[str, Any] = shape.members if shape else {}
        return {name: _required(members[name]) for name in _needed(shape)}
    if kind == "list":
        return [_required(shape.member)]
    if kind == "map":
        return {"a": _required(shape.value)}
    if kind == "string":
        return (shape.enum or ["a" * int(shape.metadata.get("min", 1))])[0]
    return _LEAST[kind]


def _needed(structure: Any) -> list[str]:  # noqa: ANN401 - ships no types
    """Members that a structure needs; of a union, the first."""
    if structure is None:
        return []
    return list(structure.members)[:1] if structure.is_tagged_union else structure.required_members


if __name__ == "__main__":
    main()
