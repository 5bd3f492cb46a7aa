"""Rewrites the translated template for the emulator, without side effects.

MiniStack differs from AWS:
- It ignores the OpenAPI `Body` in which SAM puts an HTTP API's routes, authorizers and CORS. Here
  they become resources of their own.
- It checks some actions against another resource and without conditions, and ignores those of keys.
- It speaks no TLS, which the buckets' policies require.
- It ignores `MaxConcurrencyPath` of a Distributed Map, and would start 64 processes at once.
- Of a generated secret's settings it heeds only the excluded characters.

Besides, pages of this machine may upload from any port, as they may call the API.
"""

import hashlib
import json
import string
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from infra.local.loopback import loopback_origins

Template = dict[str, Any]

_SCHEDULES = "arn:aws:scheduler:*:*:schedule/default/*"
_RESOURCES = {
    "ses:SendEmail": "*",
    "states:DescribeMapRun": "*",
    "scheduler:CreateSchedule": _SCHEDULES,
    "scheduler:GetSchedule": _SCHEDULES,
    "scheduler:UpdateSchedule": _SCHEDULES,
    "scheduler:DeleteSchedule": _SCHEDULES,
}
"""Actions, and the resource against which the emulator checks them in any call."""

_CHILDREN_AT_ONCE = 4
"""Children of a Distributed Map: each takes a process, and more would only wait."""

_RETRIED_SOON = {"IntervalSeconds": 1, "MaxDelaySeconds": 8}
"""Pauses before retries: 20 s in all, not 100, but longer than an item's lease."""

_AUTHORIZER = "x-amazon-apigateway-authorizer"
_INTEGRATION = "x-amazon-apigateway-integration"
_CORS = "x-amazon-apigateway-cors"


def for_emulator(template: Template, variables: Mapping[str, str] | None = None) -> Template:
    """The translated template in the emulator's terms; the argument is not changed.

    Args:
        template: output of AWS's translator.
        variables: added to the environment of every function.
    """
    template = deepcopy(template)
    resources = template["Resources"]
    for api, properties in _of_type(template, "AWS::ApiGatewayV2::Api").items():
        resources.update(_expanded(api, properties))
    for function in _of_type(template, "AWS::Lambda::Function").values():
        function["Environment"]["Variables"] |= variables or {}
    _leave_out_refused(template)
    _open_uploads(template)
    for machine in _of_type(template, "AWS::StepFunctions::StateMachine").values():
        _limit_maps(machine)
    for statement in statements(template):
        actions = (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
        if local := {_RESOURCES.get(action) for action in actions} - {None}:
            (statement["Resource"],) = local
            statement.pop("Condition", None)
    for secret in _of_type(template, "AWS::SecretsManager::Secret").values():
        _exclude_punctuation(secret)
    for key in _of_type(template, "AWS::KMS::Key").values():
        for statement in key["KeyPolicy"]["Statement"]:
            # The emulator compares aws:PrincipalArn with the session's ARN, AWS with the role's.
            # The role's own policy still holds.
            statement.pop("Condition", None)
    return template


def statements(template: Template) -> Iterator[Template]:
    """Statements of all roles, also conditional ones (`Fn::If`)."""
    roles = [
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::IAM::Role"
    ]
    policies = [policy["PolicyDocument"] for role in roles for policy in role["Policies"]]
    for statement in [statement for policy in policies for statement in policy["Statement"]]:
        yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def routes(template: Template) -> set[str]:
    """Keys of all routes in an expanded template, such as `POST /workflows/verify_send`."""
    found = template["Resources"].values()
    return {
        resource["Properties"]["RouteKey"]
        for resource in found
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    }


def ttl_attributes(template: Template) -> dict[str, str]:
    """TTL attribute by logical id of each table with one; the emulator ignores the template's."""
    tables = {
        name: each["Properties"]
        for name, each in template["Resources"].items()
        if "Table" in each["Type"]
    }
    declared = {name: about.get("TimeToLiveSpecification") for name, about in tables.items()}
    return {name: ttl["AttributeName"] for name, ttl in declared.items() if ttl}


def _of_type(template: Template, kind: str) -> dict[str, Template]:
    """Properties of a type's resources, by logical id."""
    return {
        name: each["Properties"]
        for name, each in template["Resources"].items()
        if each["Type"] == kind
    }


def _exclude_punctuation(secret: Template) -> None:
    generated = secret.get("GenerateSecretString", {})
    if generated.pop("ExcludePunctuation", False):
        generated["ExcludeCharacters"] = generated.get("ExcludeCharacters", "") + string.punctuation


def _leave_out_refused(template: Template) -> None:
    for name in _of_type(template, "AWS::S3::BucketPolicy"):
        del template["Resources"][name]


def _open_uploads(template: Template) -> None:
    for bucket in _of_type(template, "AWS::S3::Bucket").values():
        if rules := bucket.get("CorsConfiguration", {}).get("CorsRules"):
            rules += [{**rule, "AllowedOrigins": loopback_origins()} for rule in rules]


def _limit_maps(properties: Template) -> None:
    definition = json.loads("".join(properties["DefinitionString"]["Fn::Join"][1]))
    for state in definition["States"].values():
        if state.pop("MaxConcurrencyPath", None):
            state["MaxConcurrency"] = _CHILDREN_AT_ONCE
        for item in [state, *state.get("ItemProcessor", {}).get("States", {}).values()]:
            for retrier in item.get("Retry", []):
                if "MaxDelaySeconds" in retrier and retrier["ErrorEquals"] == ["States.ALL"]:
                    retrier.update(_RETRIED_SOON)
    properties["DefinitionString"] = json.dumps(definition)


def _expanded(api: str, properties: Template) -> Template:
    """Changes the API's properties; returns the resources that replace its Body."""
    body = properties.pop("Body")
    properties.pop("FailOnWarnings", None)
    properties |= {"Name": body["info"]["title"], "ProtocolType": "HTTP"}
    if _CORS in body:
        properties["CorsConfiguration"] = body[_CORS]
    made: Template = {}
    schemes = body.get("components", {}).get("securitySchemes", {})
    authorizers = {name: _authorizer_id(api, name, body["paths"]) for name in schemes}
    for name, scheme in schemes.items():
        made[authorizers[name]] = _authorizer(api, name, scheme[_AUTHORIZER])
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            made |= _route(api, f"{method.upper()} {path}", operation, authorizers)
    return made


def _authorizer_id(api: str, name: str, paths: Iterable[str]) -> str:
    """Logical id of the authorizer, which differs with the paths.

    A new authorizer has no cached answers; older ones would lack the scope of a new workflow.
    """
    digest = hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()
    return f"{api}{name}Authorizer{digest[:8]}"


def _authorizer(api: str, name: str, about: Template) -> Template:
    properties = {
        "ApiId": {"Ref": api},
        "Name": name,
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": about["authorizerUri"],
        "AuthorizerPayloadFormatVersion": about["authorizerPayloadFormatVersion"],
        "AuthorizerResultTtlInSeconds": about["authorizerResultTtlInSeconds"],
        "EnableSimpleResponses": about["enableSimpleResponses"],
        "IdentitySource": about["identitySource"],
    }
    return {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": properties}


def _route(api: str, key: str, operation: Template, authorizers: Mapping[str, str]) -> Template:
    about = operation[_INTEGRATION]
    name = api + "".join(letter for letter in key.title() if letter.isalnum())
    integration = {
        "ApiId": {"Ref": api},
        "IntegrationType": about["type"].upper(),
        "IntegrationUri": about["uri"],
        "IntegrationMethod": about["httpMethod"],
        "PayloadFormatVersion": about["payloadFormatVersion"],
    }
    target = {"Fn::Sub": f"integrations/${{{name}Integration}}"}
    route = {"ApiId": {"Ref": api}, "RouteKey": key, "Target": target}
    for scheme in [scheme for security in operation.get("security", []) for scheme in security]:
        route |= {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": authorizers[scheme]}}
    return {
        f"{name}Integration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": integration},
        f"{name}Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": route},
    }
