"""The alias of functions with SnapStart: who calls it, and where there is none."""

import json
import re
from functools import cache
from typing import Any

import pytest

from infra import sam
from infra.alias import version_of, with_alias
from tests.builders.template import PARAMETERS

NAMED = {"Authorize", "VerifySend", "VerifyCheck"}
ROUTES = {"VerifySend": "/workflows/verify_send", "VerifyCheck": "/workflows/verify_check"}

MONTH_SECONDS = 730 * 3600
"""AWS reckons months so."""
PERMISSIONS = {
    "Authorize": "ApiTokenAuthorizerPermission",
    **{name: f"{name}HttpPermission" for name in ROUTES},
}


VERSION = "AWS::Lambda::Version"


@cache
def resources(snapstart: str) -> dict[str, Any]:
    template = sam.read_template()
    source = with_alias(template) if snapstart == "true" else template
    made = sam.translate(source, PARAMETERS | {"SnapStart": snapstart}, "s3://bucket/key")
    found: dict[str, Any] = made["Resources"]
    return found


def of_type(kind: str, snapstart: str = "true") -> dict[str, Any]:
    return {
        name: each
        for name, each in resources(snapstart).items()
        if each["Type"] == f"AWS::Lambda::{kind}"
    }


def called(snapstart: str) -> dict[str, str]:
    """What API Gateway calls instead of each function, as text."""
    body = resources(snapstart)["Api"]["Properties"]["Body"]
    routes = {
        name: body["paths"][path]["post"]["x-amazon-apigateway-integration"]["uri"]
        for name, path in ROUTES.items()
    }
    scheme = body["components"]["securitySchemes"]["Token"]["x-amazon-apigateway-authorizer"]
    return {
        name: json.dumps(uri)
        for name, uri in (routes | {"Authorize": scheme["authorizerUri"]}).items()
    }


def permitted(snapstart: str) -> dict[str, Any]:
    """Resource to which a permission of each function is attached."""
    found = resources(snapstart)
    return {name: found[each]["Properties"]["FunctionName"] for name, each in PERMISSIONS.items()}


def test_by_default_nothing_is_published() -> None:
    assert sam.read_template()["Parameters"]["SnapStart"]["Default"] == "false"
    assert of_type("Version", "false") == of_type("Alias", "false") == {}


def test_with_snapstart_each_named_function_is_published_and_has_the_alias() -> None:
    aliases = [each["Properties"] for each in of_type("Alias").values()]
    assert {each["FunctionName"]["Ref"] for each in aliases} == NAMED
    assert {each["Name"] for each in aliases} == {"live"}
    assert {each["FunctionVersion"]["Fn::GetAtt"][0] for each in aliases} == set(of_type("Version"))


@pytest.mark.parametrize("function", sorted(NAMED))
def test_api_gateway_calls_the_alias_and_may(function: str) -> None:
    assert f"{function}Aliaslive" in called("true")[function]
    assert permitted("true")[function] == {"Ref": f"{function}Aliaslive"}


@pytest.mark.parametrize("function", sorted(NAMED))
def test_without_snapstart_it_calls_the_function_and_may(function: str) -> None:
    assert "Aliaslive" not in called("false")[function]
    assert permitted("false")[function] in (
        {"Ref": function},
        {"Fn::GetAtt": [function, "Arn"]},
    )


def test_an_old_version_goes_and_its_snapshot_costs_no_more() -> None:
    assert {each["DeletionPolicy"] for each in of_type("Version").values()} == {"Delete"}


def test_only_published_versions_have_snapshots_and_only_with_snapstart() -> None:
    functions = of_type("Function")
    assert {name for name, each in functions.items() if "SnapStart" in each["Properties"]} == NAMED
    for name in NAMED:
        on = functions[name]["Properties"]["SnapStart"]["ApplyOn"]
        assert on == {"Fn::If": ["SnapStarted", "PublishedVersions", "None"]}


def test_what_outlives_a_deployment_calls_no_alias() -> None:
    """Runs and schedules go on when SnapStart is switched off, and the alias is gone."""
    calling = {name for name, each in resources("true").items() if "Aliaslive" in json.dumps(each)}
    assert calling == {"Api", *PERMISSIONS.values()}
    assert ":live" not in json.dumps(resources("true"))


def test_snapstart_changes_nothing_else() -> None:
    on, off = resources("true"), resources("false")
    added = {*of_type("Version"), *of_type("Alias")}
    assert on.keys() - off.keys() == added
    same = {name: {**each, "DeletionPolicy": "Delete"} for name, each in off.items()}
    changed = {name for name in off if {**on[name], "DeletionPolicy": "Delete"} != same[name]}
    assert changed == {"Api", *PERMISSIONS.values()}


def test_the_documents_tell_what_the_snapshots_cost() -> None:
    page = (sam.ROOT / "docs/how-to/deploy.md").read_text()
    price = re.search(r"([\d.]+) a GB-second of a version's memory", page)
    assert price
    template = sam.read_template()
    usual = template["Globals"]["Function"]["MemorySize"]
    megabytes = [
        template["Resources"][each]["Properties"].get("MemorySize", usual) for each in NAMED
    ]
    month = sum(megabytes) / 1024 * float(price[1]) * MONTH_SECONDS
    assert f"4.5 GB, all month | {month:.2f} |" in page
    assert f"about {month:.0f} USD a month" in page


def test_the_source_is_left_as_it_is() -> None:
    template = sam.read_template()
    with_alias(template)
    assert template == sam.read_template()


@pytest.mark.parametrize("changed", [{"Timeout": 5}, {"MemorySize": 3008}, {"Layers": ["a"]}])
def test_other_properties_make_another_version(changed: dict[str, Any]) -> None:
    """Otherwise the API would go on with the version that has the old ones."""
    source = with_alias(sam.read_template())
    source["Resources"]["Authorize"]["Properties"] |= changed
    made = sam.translate(source, PARAMETERS | {"SnapStart": "true"}, "s3://bucket/key")
    versions = {name for name, each in made["Resources"].items() if each["Type"] == VERSION}
    assert len(versions - of_type("Version").keys()) == 1


def test_other_parameters_make_another_version() -> None:
    """A published version keeps its environment."""
    assert version_of({"LogLevel": "DEBUG"}) != version_of({"LogLevel": "INFO"})
    assert version_of({"a": "1", "b": "2"}) == version_of({"b": "2", "a": "1"})
