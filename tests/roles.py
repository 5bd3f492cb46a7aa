"""Functions of template.yaml and the permissions of their roles."""

from typing import Any

from infra import sam

RESOURCES = sam.read_template()["Resources"]
HANDLERS = {
    name: each["Properties"]["Handler"].removesuffix(".lambda_handler")
    for name, each in RESOURCES.items()
    if each["Type"] == "AWS::Serverless::Function"
}
"""Module of each function, by its logical id."""

POLICIES = [each["Properties"] for each in RESOURCES.values() if each["Type"] == "AWS::IAM::Policy"]
"""Policies outside the roles, for resources that exist under a condition."""


def allowed(role: str) -> set[tuple[str, str]]:
    """Action and resource of each permission; the resource is the ARN after region and account."""
    documents = [policy["PolicyDocument"] for policy in RESOURCES[role]["Properties"]["Policies"]]
    documents += [
        policy["PolicyDocument"] for policy in POLICIES if {"Ref": role} in policy["Roles"]
    ]
    statements = [
        statement["Fn::If"][1] if "Fn::If" in statement else statement
        for document in documents
        for statement in document["Statement"]
    ]
    return {
        (action, text_of(resource))
        for statement in statements
        for action in listed(statement["Action"])
        for resource in listed(statement.get("Resource", "*"))
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text_of(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    return str(resource.get("Fn::Sub", resource)).rpartition("${AWS::AccountId}:")[2]
