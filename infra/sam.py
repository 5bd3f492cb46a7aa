"""template.yaml as CloudFormation, translated in process by AWS's own SAM translator."""

import os
from pathlib import Path
from typing import Any

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"

_REGION = "us-east-1"


def read_template() -> dict[str, Any]:
    """template.yaml with its intrinsic functions in their long form."""
    template: dict[str, Any] = yaml_parse(TEMPLATE.read_text())
    return template


def translate(template: dict[str, Any], parameters: dict[str, str], code_uri: str) -> dict[str, Any]:
    """The CloudFormation template that AWS would make of a SAM template.

    Args:
        template: as `read_template` gives it; it is changed.
        parameters: stack parameters, by name.
        code_uri: `s3://bucket/key` of the functions' code, instead of the local folder.
    """
    template["Globals"]["Function"]["CodeUri"] = code_uri
    os.environ.setdefault("AWS_DEFAULT_REGION", _REGION)
    # A managed-policy map that is not empty keeps the translator from asking IAM.
    translator = Translator({"unused": "arn:aws:iam::aws:policy/unused"}, Parser())
    translated: dict[str, Any] = translator.translate(template, _typed(template, parameters))
    return translated


def _typed(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Parameters with their defaults, lists as lists, as AWS hands them to its translator."""
    declared = template["Parameters"]
    texts = {name: str(about["Default"]) for name, about in declared.items() if "Default" in about} | parameters
    lists = {name for name, about in declared.items() if about["Type"] == "CommaDelimitedList"}
    return {name: text.split(",") if name in lists else text for name, text in texts.items()}


def dump(template: dict[str, Any]) -> str:
    """As YAML text."""
    return yaml.safe_dump(template, sort_keys=False)
