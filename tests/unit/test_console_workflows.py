"""The console's lists of workflows and of webhook sources, and the samples that it signs."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from functions.api.webhooks.delivery import Received
from functions.api.webhooks.scheme import SchemeName, Signature, scheme
from functions.core.errors import WorkflowError
from infra import sam
from infra.console.catalog import read_workflows
from infra.console.samples import filled, sample_payload
from infra.console.signatures import NotSignable, sign
from infra.workflows import background_workflows, publishable_scopes, workflows
from tests.builders.deliveries import BASE64_KEYS
from tests.builders.local_servers import Stack

URL = "http://127.0.0.1:8787/webhooks/x"
SCHEMES: list[SchemeName] = ["standard", "stripe", "github", "twilio", "usersnap"]
KEYS = {"standard": BASE64_KEYS[0]}
HANDLER = '''"""greet: says hello to somebody.

More about it.
"""

lambda_handler = workflow(greet, background=False, calls=["verify_send"])
'''


def of(name: str) -> dict[str, Any]:
    return next(each for each in read_workflows() if each["name"] == name)


def test_groups_are_those_of_the_readme_in_its_order() -> None:
    rows = re.findall(
        r"^\| (?:\*\*(\w+)\*\*)? *\| \[`(\w+)`\]",
        (sam.ROOT / "README.md").read_text(),
        re.MULTILINE,
    )
    listed, group = [], ""
    for heading, name in rows:
        group = heading or group
        listed.append((name, group))
    found = [(each["name"], each["group"]) for each in read_workflows()]
    assert found[: len(listed)] == listed
    assert {group for _, group in found[len(listed) :]} <= {"Platform", "Your own"}
    assert sorted(name for name, _ in found) == workflows()


def test_options_are_those_of_the_code() -> None:
    scopes = {f"workflow:{each['name']}" for each in read_workflows() if each["publishable"]}
    assert scopes == publishable_scopes()
    assert [each["name"] for each in read_workflows() if each["public"]] == ["record_registration"]
    found = {each["name"] for each in read_workflows() if each["background"]}
    assert found == background_workflows()
    ours = [each for each in read_workflows() if each["group"] != "Your own"]
    assert {each["name"] for each in ours if not each["background"]} == {
        "verify_check",
        "verify_status",
        "update_usersnap",
        "record_registration",
    }


def test_every_workflow_has_a_summary_and_a_sample() -> None:
    for each in read_workflows():
        assert re.fullmatch(r"[A-Z].+[.]", each["summary"]), each
        assert each["sample"]["parameters"], each["name"]
    assert of("verify_send")["sample"]["parameters"]["to"] == "ana@example.com"
    assert "registration_token" in of("record_registration")["sample"]["parameters"]


def test_samples_of_emails_are_the_templates_own_with_links_to_this_machine() -> None:
    templates = of("send_email_template")["sample"]["templates"]
    assert templates.keys() == {"invitation", "message", "welcome"}
    assert templates["welcome"] == {"first_name": "Ana", "start_url": "http://localhost:3000/start"}
    assert "app.example.com" not in json.dumps(templates)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "functions/workflows/greet").mkdir(parents=True)
    (tmp_path / "tests/events").mkdir(parents=True)
    (tmp_path / "functions/workflows/greet/handler.py").write_text(HANDLER)
    (tmp_path / "tests/events/greet.json").write_text('{"parameters": {"name": "Ana"}}')
    return tmp_path


def test_a_workflow_of_the_developers_own_is_listed(project: Path) -> None:
    assert read_workflows(project) == [
        {
            "name": "greet",
            "group": "Your own",
            "summary": "Says hello to somebody.",
            "publishable": False,
            "background": False,
            "public": False,
            "sample": {"parameters": {"name": "Ana"}},
        }
    ]


@pytest.mark.parametrize("event", ["{", "[]", "null", '"x"', '{"parameters": 1}', '{"body": "["}'])
def test_a_workflow_that_is_being_written_is_listed(event: str, project: Path) -> None:
    (project / "functions/workflows/greet/handler.py").write_text("def greet(:")
    (project / "tests/events/greet.json").write_text(event)
    (found,) = read_workflows(project)
    assert (found["summary"], found["sample"]) == ("", {"parameters": {}})


def verified(name: SchemeName, payload: object, key: str) -> Any:
    """Payload of a signed sample, as the code that ships verifies it."""
    now = time.time()
    delivery = sign(name, payload, key, URL, now)
    received = Received(delivery.body.encode(), delivery.headers, "", URL)
    return scheme(name).verify(received, (key,), now).payload


@pytest.mark.parametrize("name", SCHEMES)
def test_a_sample_of_each_scheme_is_accepted(name: SchemeName) -> None:
    key = KEYS.get(name, "a key")
    payload = filled(sample_payload("mine", name))
    assert verified(name, payload, key) == payload
    accented = {"note": "é & = + 日本 \U0001f600"}
    assert verified(name, accented, key) == accented
    received = Received(b"{}", sign(name, accented, key, URL, time.time()).headers, "", URL)
    with pytest.raises(WorkflowError):
        scheme(name).verify(received, (key,), time.time())


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("hmac", Signature(header="X-Signed", prefix="sha256=", encoding="base64")),
        ("hmac", Signature(header="X-Signed", encoding="base64url", algorithm="sha512")),
        (
            "hmac",
            Signature(
                header="X-Signed",
                separator=",",
                prefix="v0=",
                timestamp_prefix="t=",
                signed="{timestamp}:{body}",
            ),
        ),
        (
            "hmac",
            Signature(
                header="X-Signed",
                signed="{method}{url}{id}.{timestamp}.{body}",
                timestamp_header="X-Time",
                timestamp_unit="ms",
                id_header="X-Id",
            ),
        ),
        (
            "hmac",
            Signature(
                header="X-Signed",
                signed="{timestamp}{body}",
                timestamp_header="X-Time",
                timestamp_unit="iso",
                body="form",
            ),
        ),
        ("token", Signature(header="X-Token", prefix="Bearer ")),
        ("token", Signature()),
    ],
)
def test_a_sample_is_signed_as_the_section_says(name: SchemeName, of: Signature) -> None:
    payload = {"note": "é & ="} if of.body == "form" else filled(sample_payload("mine", name))
    delivery = sign(name, payload, "a key", URL, time.time(), of=of)
    received = Received(delivery.body.encode(), delivery.headers, "", URL)
    assert scheme(name, of).verify(received, ("a key",), time.time()).payload == payload
    with pytest.raises(WorkflowError):
        scheme(name, of).verify(received, ("another key",), time.time())


def test_each_sample_is_a_delivery_of_its_own() -> None:
    shown = sample_payload("usersnap", "usersnap")
    first, second = filled(shown), filled(shown)
    assert isinstance(first["feedback_number"], int)
    assert first["feedback_number"] != second["feedback_number"]
    assert filled({"a": ["<now>"]})["a"][0].endswith("Z")


@pytest.mark.parametrize(
    ("name", "payload", "key"),
    [
        ("twilio", {"a": 1}, "key"),
        ("twilio", [], "key"),
        ("standard", {}, "not base64"),
        *((each, {"a": "\ud800"}, "key") for each in SCHEMES),
    ],
)
def test_what_cannot_be_signed_is_said_without_the_key(
    name: str, payload: object, key: str
) -> None:
    with pytest.raises(NotSignable) as raised:
        sign(name, payload, key, URL, 0)
    assert key not in str(raised.value).split()


def sampled(stack: Stack, schema: dict[str, Any], **parameters: Any) -> list[str]:
    """Lines of the sample list for a form."""
    asked = {"schema": schema, "parameters": parameters}
    answer = stack.client.post("/_local/sample-list", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


def test_a_sample_list_of_recipients_has_three_wrong_addresses_and_two_refused_ones(
    stack: Stack,
) -> None:
    header, *rows = sampled(stack, {"properties": {"to": {}, "locale": {}, "data": {}}})
    assert (header, rows[0], len(rows)) == ("to,locale", "ana.0@example.com,en", 200)
    assert sum(" at example.com," in row for row in rows) == 3
    assert sum("@refused.example.com," in row for row in rows) == 2


def test_a_sample_list_of_another_workflow_varies_its_text_and_has_five_wrong_items(
    stack: Stack,
) -> None:
    properties = {"kind": {"type": "string", "enum": ["a"]}, "note": {"type": "string"}}
    schema = {"properties": properties, "required": ["note"]}
    items = [json.loads(line) for line in sampled(stack, schema, kind="a", note="Hello")]
    assert items[0] == {"kind": "a", "note": "Hello 1"}
    assert [at for at, each in enumerate(items) if each["note"] == {"wrong": True}] == [
        *(23, 61, 104, 148, 187)
    ]


def test_a_sample_list_is_made_for_an_object_and_for_no_parameters(stack: Stack) -> None:
    schema = {"properties": {"data": {"type": "object"}}, "required": ["data"]}
    assert json.loads(sampled(stack, schema, data={})[23]) == {"data": "wrong"}
    assert len(sampled(stack, {})) == 200
