"""The alias of functions with SnapStart, which only their published versions have.

CloudFormation publishes a version for new code alone, and a version keeps its environment. So an
alias would hide each later change of a parameter from the API. Hence there is one only with
SnapStart, where `make build` makes new code of new parameters (`version_of`).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_PROPERTY = "AutoPublishAlias"


def without_alias(template: dict[str, Any]) -> dict[str, Any]:
    """A copy of a SAM template in which who called an alias calls the function.

    Args:
        template: with intrinsic functions in their long form.
    """
    called: dict[str, Any] = _called_by_name(template)
    for each in called["Resources"].values():
        each.get("Properties", {}).pop(_PROPERTY, None)
    return called


def has_alias(resource: Mapping[str, Any]) -> bool:
    """Whether a SAM resource is a function with an alias."""
    return _PROPERTY in resource.get("Properties", {})


def version_of(parameters: Mapping[str, str]) -> bytes:
    """Content of a file that makes other code of other parameters."""
    return hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode()).digest()


def _called_by_name(node: Any) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(node, list):
        return [_called_by_name(each) for each in node]
    if not isinstance(node, dict):
        return node
    function, _, attribute = str(node.get("Ref", "")).partition(".")
    if attribute == "Alias":
        return {"Fn::GetAtt": [function, "Arn"]}
    return {key: _called_by_name(value) for key, value in node.items()}
