"""Finds dangling references, which CloudFormation refuses and the emulator takes for texts."""

import re
from collections.abc import Iterator
from typing import Any

from infra.sam import TemplateError

_IN_TEXT = re.compile(r"\$\{([^!}.]+)[^}]*\}")


def refuse_dangling(template: dict[str, Any], text: str) -> None:
    """Raises `TemplateError` for a reference to neither a parameter nor a resource.

    Args:
        template: the translated template.
        text: content of template.yaml, to find the line.
    """
    known = {*template.get("Parameters", {}), *template["Resources"]}
    for entry, body in {**template["Resources"], **template.get("Outputs", {})}.items():
        dependencies = body.get("DependsOn", [])
        names = [
            *_names(body),
            *([dependencies] if isinstance(dependencies, str) else dependencies),
        ]
        for name in names:
            if name not in known and not name.startswith("AWS::"):
                sentence = f"{entry} refers to {name}, which is neither a parameter nor a resource."
                raise TemplateError(f"template.yaml{_place(name, text, sentence)}")


def _names(node: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Names to which an entry refers by Ref, Fn::GetAtt and Fn::Sub."""
    if isinstance(node, list):
        for each in node:
            yield from _names(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value.partition(".")[0] if isinstance(value, str) else value[0]
            elif key == "Fn::Sub":
                yield from _substituted(value)
            else:
                yield from _names(value)


def _substituted(value: Any) -> Iterator[str]:  # noqa: ANN401 - a text, or a text and its own variables
    text, own = (value, {}) if isinstance(value, str) else value
    yield from (name for name in _IN_TEXT.findall(text) if name not in own)
    yield from _names(own)


def _place(name: str, text: str, sentence: str) -> str:
    """The sentence with the first line that has the name, if any; the translator adds names."""
    for number, line in enumerate(text.splitlines(), start=1):
        if re.search(rf"\b{re.escape(name)}\b", line):
            return f":{number}: {sentence}\n    {line.strip()}"
    return f": {sentence}"
