"""Translates template.yaml to CloudFormation, in process, with AWS's own SAM translator."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"

_REGION = "us-east-1"


class _Loader(yaml.CSafeLoader):
    """libyaml's parser with the translator's tags such as `!Ref`; ten times as fast as its own."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


class TemplateError(Exception):
    """template.yaml cannot be read or translated; the text says why."""


def read_template(path: Path = TEMPLATE) -> dict[str, Any]:
    """Content of template.yaml, with intrinsic functions in their long form.

    Raises:
        TemplateError: when the file is missing or not YAML.
    """
    try:
        copied: dict[str, Any] = _copied(_parsed(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise TemplateError(f"template.yaml cannot be read: {_place(path, error)}") from error
    return copied


def _copied(node: Any) -> Any:  # noqa: ANN401 - any YAML
    """A copy in which nothing is shared: an alias is written out, as the SAM CLI does it."""
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(each) for each in node] if isinstance(node, list) else node


@cache
def _parsed(text: str) -> dict[str, Any]:
    template: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    return template


def translate(
    template: dict[str, Any], parameters: dict[str, str], code_uri: str
) -> dict[str, Any]:
    """The CloudFormation template that AWS would make of a SAM template.

    Args:
        template: result of `read_template`; it is changed.
        parameters: stack parameters, by name.
        code_uri: `s3://bucket/key` of the functions' code, instead of the local folder.

    Raises:
        TemplateError: when it is not a SAM template.
    """
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415 - takes two seconds
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415

    template["Globals"]["Function"]["CodeUri"] = code_uri
    for resource in template["Resources"].values():
        if "DefinitionUri" in resource.get("Properties", {}):
            _inline_definition(resource["Properties"])
    os.environ.setdefault("AWS_DEFAULT_REGION", _REGION)
    # With an empty map of managed policies the translator would call IAM.
    translator = Translator({"unused": "arn:aws:iam::aws:policy/unused"}, Parser())
    try:
        translated: dict[str, Any] = translator.translate(template, _typed(template, parameters))
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes)
        raise TemplateError(f"template.yaml is not a SAM template: {causes}") from error
    finally:
        translator.metrics.publish()  # to nobody; without it, it complains at exit
    return translated


def _inline_definition(properties: dict[str, Any]) -> None:
    """Puts a state machine's file into the template; the translator takes files from S3 only."""
    path = ROOT / properties.pop("DefinitionUri")
    try:
        properties["Definition"] = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise TemplateError(
            f"{path.relative_to(ROOT)} cannot be read: {_place(path, error)}"
        ) from error


def _place(path: Path, error: Exception) -> str:
    """The error with the file and the line."""
    if not (isinstance(error, yaml.MarkedYAMLError) and error.problem_mark):
        return str(error)
    mark = error.problem_mark
    lines = path.read_text().splitlines()
    text = lines[mark.line].strip() if mark.line < len(lines) else ""
    return f"{path.name}:{mark.line + 1}: {error.problem}\n    {text}"


def _typed(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Parameters as AWS hands them to its translator: with defaults, and lists as lists."""
    declared = template["Parameters"]
    texts = {
        name: str(about["Default"]) for name, about in declared.items() if "Default" in about
    } | parameters
    lists = {name for name, about in declared.items() if about["Type"] == "CommaDelimitedList"}
    return {name: text.split(",") if name in lists else text for name, text in texts.items()}


def dump(template: dict[str, Any]) -> str:
    """The template as YAML text."""
    return yaml.safe_dump(template, sort_keys=False)
