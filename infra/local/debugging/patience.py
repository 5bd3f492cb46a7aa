"""Lets calls and items of runs take an hour, and a list's items come one after another."""

import json
from copy import deepcopy
from typing import Any

from infra.local.transform import Template

PATIENCE_SECONDS = 3600
"""Longest call while somebody debugs."""


def with_patience(template: Template) -> Template:
    """The emulator's template with long limits; the argument is not changed.

    One item at a time, because only one process of the function has the debugger.
    """
    template = deepcopy(template)
    for each in template["Resources"].values():
        properties = each.get("Properties", {})
        if each["Type"] == "AWS::Lambda::Function":
            properties["Timeout"] = PATIENCE_SECONDS
        elif each["Type"] == "AWS::StepFunctions::StateMachine":
            definition = json.loads(properties["DefinitionString"])
            properties["DefinitionString"] = json.dumps(_patient(definition))
    return template


def _patient(node: Any) -> Any:  # noqa: ANN401 - any part of a state machine
    if isinstance(node, list):
        return [_patient(each) for each in node]
    if not isinstance(node, dict):
        return node
    changed = {"TimeoutSeconds": PATIENCE_SECONDS, "MaxConcurrency": 1}
    return {key: changed.get(key, _patient(value)) for key, value in node.items()}
