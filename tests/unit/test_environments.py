"""Environments of functions in template.yaml, for which Lambda has room for 4 KB.

They fit even if all parameters are as long as they may be.
"""

import re
from typing import Any

import pytest

from infra import sam

TEMPLATE = sam.read_template()
PARAMETERS, RESOURCES = TEMPLATE["Parameters"], TEMPLATE["Resources"]
EVERYWHERE = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
ENVIRONMENTS = {
    name: EVERYWHERE | each["Properties"]["Environment"]["Variables"]
    for name, each in RESOURCES.items()
    if each["Type"] == "AWS::Serverless::Function"
}
MOST_BYTES = 4096
"""Limit of the environment as JSON, as Lambda measures it (quota "Environment variables")."""

STACK_NAME = 41
"""Characters; see test_template.py."""
PSEUDO = {
    "AWS::StackName": STACK_NAME,
    "AWS::Region": 14,
    "AWS::AccountId": 12,
    "AWS::Partition": 10,
    "AWS::NoValue": 0,
}
"""Characters of the longest values: `ap-southeast-1`, `aws-us-gov`."""
NUMBER = 10
"""Digits of a number without a maximum."""
ROLE_NAME = 64
BUCKET_NAME = 63

PATTERNS = {
    "EndUserMessagingConfigurationSet": "a" * 64,
    "Stage": "a" * 20,
}
"""Longest value of parameters whose pattern says how long they may be."""


def longest(name: str) -> int:
    """Bytes of a parameter's longest value."""
    about = PARAMETERS[name]
    if "AllowedValues" in about:
        return max(len(str(value)) for value in about["AllowedValues"])
    if about["Type"] == "Number":
        return len(str(about.get("MaxValue", 10**NUMBER - 1)))
    if name in PATTERNS:
        return len(PATTERNS[name])
    return int(about["MaxLength"])


def size(value: Any) -> int:
    """Bytes of the longest text that a value can become."""
    if isinstance(value, list):
        return sum(size(each) for each in value)
    if not isinstance(value, dict):
        return len(str(value))
    ((function, argument),) = value.items()
    return int(SIZES[function](argument))


def size_of_ref(name: str) -> int:
    if name in PSEUDO:
        return PSEUDO[name]
    if name in PARAMETERS:
        return longest(name)
    kind, about = RESOURCES[name]["Type"], RESOURCES[name].get("Properties", {})
    if kind == "AWS::S3::Bucket":
        return BUCKET_NAME
    named = next(about[key] for key in ("Name", "TableName", "TopicName") if key in about)
    return size(named) + (arn("sns") if kind == "AWS::SNS::Topic" else 0)


def size_of_arn(path: list[str]) -> int:
    kind, about = RESOURCES[path[0]]["Type"], RESOURCES[path[0]]["Properties"]
    match kind:
        case "AWS::SecretsManager::Secret":
            return arn("secretsmanager") + size(about["Name"]) + len("secret:-abcdef")
        case "AWS::SQS::Queue":
            return arn("sqs") + size(about["QueueName"])
        case "AWS::IAM::Role":
            return arn("iam") + len("role/") + ROLE_NAME
        case "AWS::KMS::Key":
            return arn("kms") + len("key/mrk-") + 36
    raise AssertionError(kind)


def arn(service: str) -> int:
    return len(f"arn::{service}:::") + sum(
        PSEUDO[f"AWS::{part}"] for part in ("Partition", "Region", "AccountId")
    )


def size_of_sub(text: str) -> int:
    names = re.findall(r"\$\{([\w:]+)\}", text)
    return len(re.sub(r"\$\{[\w:]+\}", "", text)) + sum(size_of_ref(name) for name in names)


SIZES: dict[str, Any] = {
    "Ref": size_of_ref,
    "Fn::GetAtt": size_of_arn,
    "Fn::Sub": size_of_sub,
    "Fn::If": lambda argument: max(size(argument[1]), size(argument[2])),
    "Fn::Join": lambda argument: size(argument[1]) + len(argument[0]) * (len(argument[1]) - 1),
}


def size_of_environment(variables: dict[str, Any]) -> int:
    """Size of a function's environment, without variables that no deployment has."""
    quotes_colon_comma = 6
    variables = {
        name: value for name, value in variables.items() if value != {"Ref": "AWS::NoValue"}
    }
    return (
        2
        + sum(len(name) + size(value) + quotes_colon_comma for name, value in variables.items())
        - 1
    )


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_fits_when_all_parameters_are_as_long_as_they_may_be(name: str) -> None:
    assert size_of_environment(ENVIRONMENTS[name]) <= MOST_BYTES


@pytest.mark.parametrize("name", PATTERNS)
def test_a_parameter_without_a_length_is_bounded_by_its_pattern(name: str) -> None:
    pattern = PARAMETERS[name]["AllowedPattern"]
    assert re.fullmatch(pattern, PATTERNS[name])
    assert not re.fullmatch(pattern, PATTERNS[name] + PATTERNS[name][-1])
