import json
import string
from copy import deepcopy
from typing import Any

import pytest

from infra import sam
from infra.local import transform
from infra.local.loopback import is_loopback_origin
from infra.local.references import refuse_dangling

PUBLIC = {
    "GET /.well-known/jwks.json",
    "GET /openapi.json",
    "GET /usersnap.js",
    "GET /verify-messages.js",
    "GET /verify.d.ts",
    "GET /verify.js",
    "GET /webhooks/{source}",
    "POST /webhooks/{source}",
    "POST /workflows/record_registration",
}


@pytest.fixture(scope="module")
def translated() -> dict[str, Any]:
    return sam.translate(sam.read_template(), {"EmailFrom": "a@example.com"}, "s3://bucket/key")


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        name: each["Properties"]
        for name, each in template["Resources"].items()
        if each["Type"] == kind
    }


def test_the_argument_stays_as_it_is(translated: dict[str, Any]) -> None:
    before = deepcopy(translated)
    transform.for_emulator(translated)
    assert translated == before


def test_every_path_becomes_a_route_with_its_integration_and_authorizer(
    translated: dict[str, Any],
) -> None:
    made = transform.for_emulator(translated)
    paths = translated["Resources"]["Api"]["Properties"]["Body"]["paths"]
    assert transform.routes(made) == {
        f"{method.upper()} {path}" for path in paths for method in paths[path]
    }
    (authorizer,) = of_type(made, "AWS::ApiGatewayV2::Authorizer")
    for route in of_type(made, "AWS::ApiGatewayV2::Route").values():
        public = route["RouteKey"] in PUBLIC
        assert route.get("AuthorizationType") == (None if public else "CUSTOM")
        assert route.get("AuthorizerId") == (None if public else {"Ref": authorizer})
        integration = route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
        assert made["Resources"][integration]["Properties"]["PayloadFormatVersion"] == "2.0"
    assert "Body" not in made["Resources"]["Api"]["Properties"]


def test_an_authorizer_that_remembers_answers_from_before_a_new_route_is_replaced(
    translated: dict[str, Any],
) -> None:
    template = deepcopy(translated)
    paths = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    paths["/workflows/greet"] = paths["/workflows/verify_send"]
    ids = [
        {*of_type(transform.for_emulator(each), "AWS::ApiGatewayV2::Authorizer")}
        for each in (translated, template)
    ]
    assert ids[0] == {*of_type(transform.for_emulator(translated), "AWS::ApiGatewayV2::Authorizer")}
    assert not ids[0] & ids[1]


def test_template_yaml_refers_to_nothing_that_there_is_not(translated: dict[str, Any]) -> None:
    refuse_dangling(translated, "")


def test_an_open_route_stays_open(translated: dict[str, Any]) -> None:
    template = deepcopy(translated)
    paths = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    for path in paths.values():
        for operation in path.values():
            operation.pop("security", None)
    routes = of_type(transform.for_emulator(template), "AWS::ApiGatewayV2::Route").values()
    assert all("AuthorizerId" not in route for route in routes)


def test_cors_is_the_apis_own(translated: dict[str, Any]) -> None:
    cors = transform.for_emulator(translated)["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    assert cors["allowOrigins"] == ["http://localhost:3000", "http://localhost:5173"]


def test_a_page_of_this_machine_may_upload_whatever_port_serves_it(
    translated: dict[str, Any],
) -> None:
    (bucket,) = of_type(transform.for_emulator(translated), "AWS::S3::Bucket").values()
    given, local = bucket["CorsConfiguration"]["CorsRules"]
    assert given["AllowedOrigins"] == {"Ref": "AllowedOrigins"}
    assert {"http://localhost:*", "http://127.0.0.1", "https://[::1]:*"} <= set(
        local["AllowedOrigins"]
    )
    assert {**local, "AllowedOrigins": given["AllowedOrigins"]} == given
    for pattern in local["AllowedOrigins"]:
        assert is_loopback_origin(pattern.replace("*", "3000"))


def test_ttl_attributes_are_found(translated: dict[str, Any]) -> None:
    assert transform.ttl_attributes(translated) == {
        "Verifications": "delete_at",
        "Limits": "delete_at",
        "RunRecords": "delete_at",
        "Outcomes": "delete_at",
        "Idempotency": "delete_at",
    }


def test_a_keys_policy_stays_but_for_the_condition_that_the_emulator_misreads(
    translated: dict[str, Any],
) -> None:
    (before,) = of_type(translated, "AWS::KMS::Key").values()
    (after,) = of_type(transform.for_emulator(translated), "AWS::KMS::Key").values()
    statements = [{**each} for each in before["KeyPolicy"]["Statement"]]
    assert [each.pop("Condition", None) is not None for each in statements] == [False, True]
    assert after["KeyPolicy"]["Statement"] == statements


def test_permissions_stay_but_for_those_that_the_emulator_cannot_match(
    translated: dict[str, Any],
) -> None:
    made = of_type(transform.for_emulator(translated), "AWS::IAM::Role")
    changed = [
        after["Action"]
        for name, role in of_type(translated, "AWS::IAM::Role").items()
        for own, relaxed_own in zip(role["Policies"], made[name]["Policies"], strict=True)
        for before, after in zip(
            own["PolicyDocument"]["Statement"],
            relaxed_own["PolicyDocument"]["Statement"],
            strict=True,
        )
        if before != after
    ]
    schedules = tuple(f"scheduler:{action}Schedule" for action in ("Create", "Update", "Delete"))
    relaxed = {action if isinstance(action, str) else tuple(action) for action in changed}
    checked = ("scheduler:CreateSchedule", "scheduler:DeleteSchedule")
    assert relaxed == {
        "scheduler:CreateSchedule",
        "scheduler:GetSchedule",
        schedules,
        checked,
        "ses:SendEmail",
        "states:DescribeMapRun",
    }


def test_a_secret_without_punctuation_is_generated_so_by_the_emulator_too(
    translated: dict[str, Any],
) -> None:
    before = of_type(translated, "AWS::SecretsManager::Secret")
    after = of_type(transform.for_emulator(translated), "AWS::SecretsManager::Secret")
    changed = {name for name, secret in before.items() if after[name] != secret}
    assert changed == {
        name
        for name, each in before.items()
        if "ExcludePunctuation" in each["GenerateSecretString"]
    }
    assert {"EventsKey", "RegistrationToken"} <= changed
    for name in changed:
        excluded = after[name]["GenerateSecretString"]["ExcludeCharacters"]
        assert set(excluded) == set(string.punctuation)


def test_a_map_runs_four_items_at_once_where_the_emulator_cannot_be_told_how_many(
    translated: dict[str, Any],
) -> None:
    (machine,) = of_type(
        transform.for_emulator(translated), "AWS::StepFunctions::StateMachine"
    ).values()
    states = json.loads(machine["DefinitionString"])["States"]
    assert (states["Many"]["MaxConcurrency"], states["Paced"]["MaxConcurrency"]) == (4, 1)
    assert "MaxConcurrencyPath" not in machine["DefinitionString"]
    assert machine["DefinitionString"].count('"MaxDelaySeconds": 8') == 7
    before = sam.read_template()["Resources"]["RunWorkflow"]["Properties"][
        "DefinitionSubstitutions"
    ]
    assert machine["DefinitionSubstitutions"].keys() == before.keys()


def test_only_what_asks_for_tls_is_left_out(
    translated: dict[str, Any],
) -> None:
    before = {
        name: each
        for name, each in translated["Resources"].items()
        if each["Type"] != "AWS::ApiGatewayV2::Api"
    }
    left_out = before.keys() - transform.for_emulator(translated)["Resources"].keys()
    assert left_out == {"RunFilesPolicy"}
    (statement,) = before["RunFilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_every_function_gets_the_local_variables_besides_its_own(
    translated: dict[str, Any],
) -> None:
    made = of_type(transform.for_emulator(translated, {"LOCAL": "1"}), "AWS::Lambda::Function")
    for name, function in of_type(translated, "AWS::Lambda::Function").items():
        own = function["Environment"]["Variables"]
        assert made[name]["Environment"]["Variables"] == own | {"LOCAL": "1"}


def test_statements_under_a_condition_are_found(translated: dict[str, Any]) -> None:
    actions = [str(statement["Action"]) for statement in transform.statements(translated)]
    assert "sms-voice:SendTextMessage" in actions
