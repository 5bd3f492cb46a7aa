"""openapi.json: complete, as the code is, and its examples are valid."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, get_args

import pytest
from jsonschema import Draft202012Validator
from msgspec import Meta
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource

from functions.api.documents import handler
from functions.api.webhooks.scheme import SchemeName
from functions.core.errors import Conflict, LimitExceeded
from functions.core.parameters import Parameters, Result, ValidatedStr
from infra import sam
from infra.openapi.__main__ import text
from infra.openapi.components.docstrings import attribute_texts, told
from infra.openapi.components.problems import CODES
from infra.openapi.components.schemas import Schemas
from infra.openapi.components.security import SCHEMES
from infra.openapi.document import document
from infra.openapi.files import COMMITTED, PLACE
from infra.openapi.operations import OWN
from infra.openapi.routes import template_routes

Json = dict[str, Any]


@cache
def made() -> Json:
    return document()


def operations(*, shipped: bool = False) -> list[Any]:
    """Operations; on request without those that an owner has added, whose words are theirs."""
    found = [each for path in made()["paths"].values() for each in path.values()]
    return [
        pytest.param(each, id=each["operationId"])
        for each in found
        if not (shipped and each["tags"] == [OWN])
    ]


def shipped_schemas() -> list[Any]:
    """Schemas that operations other than an owner's refer to."""
    text = json.dumps([each.values for each in operations(shipped=True)])
    schemas = made()["components"]["schemas"]
    found: dict[str, Json] = {}
    while new := {name for name in schemas if f'/{name}"' in text and name not in found}:
        found |= {name: schemas[name] for name in new}
        text = json.dumps(found)
    return [pytest.param(schema, id=name) for name, schema in sorted(found.items())]


def resolved(node: Json) -> Json:
    while "$ref" in node:
        found = made()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def is_valid(value: object, schema: Json) -> bool:
    """Whether a value fits a schema of the document."""
    root = {"$id": "urn:document", "components": made()["components"]}
    registry = Registry().with_resource("urn:document", Resource.opaque(root))
    inside = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
    validator = Draft202012Validator(
        inside, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return bool(validator.is_valid(value))


def nulls(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(nulls, value.values()))
    return any(map(nulls, value)) if isinstance(value, list) else value is None


def media(content: Json) -> Iterator[tuple[Json, Any]]:
    """Schemas of a content with their examples."""
    for each in content.values():
        values = [one["value"] for one in each.get("examples", {}).values()]
        for value in [each["example"]] if "example" in each else values:
            yield each["schema"], value


def test_the_committed_document_is_that_of_the_code() -> None:
    assert COMMITTED.read_text() == text(), (
        "docs/reference/openapi.json is not that of the code. Write it anew: make openapi"
    )


def test_the_document_is_valid_openapi() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(made()).iter_errors()] == []


def test_every_route_is_in_the_document_and_no_other() -> None:
    documented = {
        f"{method.upper()} {path}" for path, found in made()["paths"].items() for method in found
    }
    assert documented == {route.key for route in template_routes()}


def test_every_code_of_a_problem_is_in_the_document_and_no_other() -> None:
    page = (sam.ROOT / "docs/reference/problems.md").read_text()
    rows = [line for line in page.splitlines() if re.match(r"\| \d{3} \|", line)]
    explained = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row.split("|")[2])}
    assert set(CODES) == explained
    assert made()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == sorted(CODES)


@pytest.mark.parametrize("operation", operations())
def test_an_operation_is_described_and_has_an_example_of_success(operation: Json) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"][0] in {tag["name"] for tag in made()["tags"]}
    success = [each for status, each in operation["responses"].items() if status[0] == "2"]
    found = [value for each in success for _, value in media(each["content"])]
    assert found
    assert not any(map(nulls, found))


@pytest.mark.parametrize("operation", operations(shipped=True))
def test_examples_fit_their_schemas(operation: Json) -> None:
    contents = [resolved(each).get("content", {}) for each in operation["responses"].values()]
    contents.append(operation.get("requestBody", {}).get("content", {}))
    wrong = [
        value
        for content in contents
        for schema, value in media(content)
        if not is_valid(value, schema)
    ]
    assert wrong == []


@pytest.mark.parametrize("schema", shipped_schemas())
def test_examples_of_fields_fit_their_schemas(schema: Json) -> None:
    wrong = [
        (field, example)
        for field, about in schema.get("properties", {}).items()
        for example in about.get("examples", [])
        if not is_valid(example, about)
    ]
    assert wrong == []


def test_every_answer_to_a_call_with_a_token_names_the_missing_token() -> None:
    for operation in (each.values[0] for each in operations()):
        with_token = any("token" in each for each in operation["security"])
        assert ("403" in operation["responses"]) == (
            with_token or operation["operationId"] == "record_registration"
        )
        assert "401" in operation["responses"]


def test_every_scheme_of_webhooks_that_signs_in_a_header_is_a_security_scheme() -> None:
    """Sources of the schemes `hmac` and `token` name their header themselves."""
    elsewhere = {"sns", "hmac", "token"}
    in_a_header = {f"{name}Signature" for name in {*get_args(SchemeName)} - elsewhere}
    assert set(SCHEMES) == {"token", *in_a_header}


@pytest.mark.parametrize("schema", shipped_schemas())
def test_every_field_of_what_ships_is_described(schema: Json) -> None:
    fields = schema.get("properties", {})
    assert [name for name, each in fields.items() if not each.get("description")] == []
    assert schema["description"] or not fields


def descriptions(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("description"), str):
            yield node["description"]
        for each in node.values():
            yield from descriptions(each)
    elif isinstance(node, list):
        for each in node:
            yield from descriptions(each)


def test_descriptions_are_sentences_for_clients() -> None:
    opening = re.compile(r"^(?!http)[a-z]|\b(Raises|Args|Returns):|^(What|Whom|That which)\b")
    wrong = [
        each
        for parameter in [*operations(shipped=True), *shipped_schemas()]
        for each in {*descriptions(parameter.values[0])}
        if opening.search(each) or not each.rstrip("`)\n").endswith((".", "!", "…"))
    ]
    assert wrong == []


class OrderNumber(ValidatedStr):
    """Number of an order."""

    @classmethod
    def schema(cls) -> Json:
        return {"pattern": "^[0-9]+$", "examples": ["1042"]}


class SendReceipt(Parameters):
    """The receipt to send."""

    order: OrderNumber
    """Order that was paid."""
    copies: Annotated[int, Meta(ge=1)] = 1
    language: Literal["de", "en"] | None = None


class ReceiptSent(Result):
    message_id: str | None = None


def test_the_types_of_a_new_workflow_are_described_by_its_code() -> None:
    schemas = Schemas([SendReceipt], [ReceiptSent])
    assert schemas.reference(SendReceipt) == {"$ref": "#/components/schemas/SendReceipt"}
    assert schemas.components["SendReceipt"] == {
        "type": "object",
        "description": "The receipt to send.",
        "properties": {
            "order": {
                "type": "string",
                "pattern": "^[0-9]+$",
                "examples": ["1042"],
                "description": "Order that was paid.",
            },
            "copies": {"type": "integer", "minimum": 1, "default": 1},
            "language": {"type": ["string", "null"], "enum": ["de", "en", None]},
        },
        "required": ["order"],
        "additionalProperties": False,
    }
    assert schemas.components["ReceiptSent"] == {
        "type": "object",
        "properties": {"message_id": {"type": ["string", "null"]}},
        "required": ["message_id"],
    }


def test_inherited_fields_keep_their_descriptions() -> None:
    class Reminder(SendReceipt):
        """The reminder to send."""

    assert attribute_texts(Reminder)["order"] == "Order that was paid."


def test_a_docstring_has_a_summary_a_description_and_errors() -> None:
    def send_receipt() -> None:
        """Sends a receipt. It goes by email.

        A second call
        sends it again.

        Raises:
            Conflict, LimitExceeded: the order is not paid, or there were too many.
        """

    found = told(send_receipt, "send_receipt")
    assert found.summary == "Sends a receipt"
    assert found.description == "It goes by email.\n\nA second call sends it again."
    assert found.raises == (Conflict, LimitExceeded)


def test_a_workflow_without_a_docstring_is_called_by_its_name() -> None:
    def send_receipt() -> None: ...

    assert told(send_receipt, "send_receipt").summary == "Send receipt"


def test_a_server_of_its_own_is_named() -> None:
    assert document("https://api.example.com")["servers"] == [{"url": "https://api.example.com"}]


def test_the_document_ships_beside_its_function() -> None:
    assert handler._OPENAPI == sam.ROOT / PLACE
    assert not (sam.ROOT / PLACE).exists(), "it is made at the build and belongs in no commit"
