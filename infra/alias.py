"""The alias of functions with SnapStart, which only published versions have.

`make build` adds it where the parameter SnapStart is true, and nowhere else. For a version keeps
its environment, and CloudFormation publishes one for new code alone: the API would not notice a
changed parameter. With SnapStart the build makes new code of new parameters (`version_of`).
"""

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

ALIAS = "live"
_PROPERTY = "AutoPublishAlias"


def with_alias(template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a SAM template in which the API calls functions with SnapStart by an alias.

    SAM publishes their versions, and lets routes and permissions name the alias. Old versions are
    deleted, because each costs its snapshot.

    Args:
        template: with intrinsic functions in their long form.
    """
    made: dict[str, Any] = copy.deepcopy(dict(template))
    named = {name: each for name, each in made["Resources"].items() if _has_snapstart(each)}
    for function in named.values():
        function["DeletionPolicy"] = "Delete"
        # SAM's own digest of a version has code, environment and memory alone.
        function["Properties"] |= {_PROPERTY: ALIAS, f"{_PROPERTY}AllProperties": True}
    for authorizer in _authorizers(made):
        name = authorizer["FunctionArn"]["Fn::GetAtt"][0]
        if name in named:
            authorizer["FunctionArn"] = {"Ref": f"{name}.Alias"}
    return made


def has_alias(resource: Mapping[str, Any]) -> bool:
    """Whether a SAM resource is a function with an alias."""
    return _PROPERTY in resource.get("Properties", {})


def version_of(parameters: Mapping[str, str]) -> bytes:
    """Content of a file that makes other code of other parameters."""
    return hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode()).digest()


def _has_snapstart(resource: Mapping[str, Any]) -> bool:
    return "SnapStart" in resource.get("Properties", {})


def _authorizers(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in template["Resources"].values():
        if each["Type"] == "AWS::Serverless::HttpApi":
            yield from each["Properties"]["Auth"]["Authorizers"].values()
