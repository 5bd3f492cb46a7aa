"""template.yaml, as it is and as AWS's translator makes CloudFormation of it."""

import base64
import importlib
import importlib.metadata
import json
import re
import string
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import yaml

from functions.api.webhooks.checks import TOLERANCE
from functions.core.config import SettingsError, read_from
from functions.core.errors import DeliveryRefused
from functions.core.events.event_filter import EventSettings
from functions.core.http import ApiSettings
from functions.core.http.idempotency import ANSWERS_KEPT_SECONDS
from functions.core.outbound_http.url import read_url
from functions.core.runs.files import ITEMS_KEPT_SECONDS
from functions.core.runs.items import event_box
from functions.core.verification.settings import ProofSettings
from infra import sam
from infra.local import providers, stack
from infra.workflows import workflows
from tests.builders.template import translated

FUNCTIONS = sam.ROOT / "functions"
WORKFLOWS = workflows()
API = sorted(path.parent.name for path in (FUNCTIONS / "api").glob("*/handler.py"))
SWITCHED = {
    "EventsSent": {"Events", "EventsLog", "EventsRole"},
    "DeliveryTracked": {
        "CodeEmailReports",
        "TemplateEmailReports",
        "EmailEvents",
        "EmailEventsPolicy",
        "EmailEventsWebhook",
        "UndeliveredEmailEvents",
    },
}
"""Resources that exist only with events or with delivery reports."""
YAML = {
    path.relative_to(sam.ROOT).as_posix()
    for pattern in (
        "*.y*ml",
        "functions/**/*.y*ml",
        "infra/**/*.y*ml",
        "tests/**/*.y*ml",
        ".ci/**/*.y*ml",
    )
    for path in sam.ROOT.glob(pattern)
}
"""Files of the project, without those of tools."""
PUBLIC = [
    name
    for name in WORKFLOWS
    if importlib.import_module(
        f"functions.workflows.{name}.handler"
    ).lambda_handler.definition.options.public
]
"""Workflows whose own code says that anybody may call them."""


def test_a_scope_that_covers_another_workflow_gives_no_new_right_to_publishable_tokens() -> None:
    options = {
        name: importlib.import_module(
            f"functions.workflows.{name}.handler"
        ).lambda_handler.definition.options
        for name in WORKFLOWS
    }
    covered = {name: each.covered_by for name, each in options.items() if each.covered_by}
    assert covered == {"verify_status": "verify_check"}
    assert all(
        options[by].publishable or not options[name].publishable for name, by in covered.items()
    )


def resources(kind: str) -> dict[str, dict[str, Any]]:
    found = sam.read_template()["Resources"].items()
    return {name: each["Properties"] for name, each in found if each["Type"] == kind}


def statements() -> list[tuple[str, dict[str, Any]]]:
    """Role and statement of every permission, also of those that only some deployments have."""
    own = [
        (name, policy)
        for name, role in resources("AWS::IAM::Role").items()
        for policy in role["Policies"]
    ]
    added = [
        (role["Ref"], policy)
        for policy in resources("AWS::IAM::Policy").values()
        for role in policy["Roles"]
    ]
    return [
        (name, statement["Fn::If"][1] if "Fn::If" in statement else statement)
        for name, policy in own + added
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_there_are_yaml_files() -> None:
    assert {"template.yaml", "infra/run_workflow.asl.yaml"} <= YAML


def test_there_are_workflows() -> None:
    assert {"verify_send", "verify_check", "verify_delete"} <= set(WORKFLOWS)


@pytest.mark.parametrize(
    ("folder", "name"),
    [("workflows", each) for each in WORKFLOWS] + [("api", each) for each in API],
)
def test_each_folder_has_one_function_one_log_group_and_one_role(folder: str, name: str) -> None:
    full = {"Fn::Sub": f"${{AWS::StackName}}-{'wf-' if folder == 'workflows' else ''}{name}"}
    handler = f"functions.{folder}.{name}.handler.lambda_handler"
    functions = resources("AWS::Serverless::Function")
    (logical_id,) = [key for key, each in functions.items() if each["Handler"] == handler]
    assert functions[logical_id]["FunctionName"] == full
    assert functions[logical_id]["Role"] == {"Fn::GetAtt": [f"{logical_id}Role", "Arn"]}
    assert functions[logical_id]["LoggingConfig"]["LogGroup"] == {"Ref": f"{logical_id}Log"}
    assert functions[logical_id]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == name
    group = resources("AWS::Logs::LogGroup")[f"{logical_id}Log"]
    assert group["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{full['Fn::Sub']}"}
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert f"{logical_id}Role" in resources("AWS::IAM::Role")


GROUPS = {
    "Verify": ["verify_send", "verify_check", "verify_status", "verify_delete"],
    "Emails": ["send_email_template"],
    "Canvas": ["update_usersnap", "check_app_location", "record_registration"],
    "the platform's own": ["deliver_event", "track_delivery"],
}


def test_workflows_stand_in_their_groups() -> None:
    """README has the groups; a description begins with its group."""
    found: dict[str, list[str]] = {}
    group = ""
    for line in sam.TEMPLATE.read_text().splitlines():
        if head := re.fullmatch(r"  # (=== Workflows:|--- workflow) (.*) [=-]+", line):
            if head[1].startswith("="):
                group = head[2]
                found[group] = []
            else:
                found[group].append(head[2])
    assert list(found) == [*GROUPS, "your own"]
    found.pop("your own")
    assert found == GROUPS
    described = {
        each["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: each["Description"]
        for each in resources("AWS::Serverless::Function").values()
    }
    for group, names in GROUPS.items():
        prefix = group.replace("the platform's own", "Platform")
        assert [each for each in names if not described[each].startswith(f"{prefix}: ")] == []


def test_a_complaint_stops_emails_from_templates_and_no_code() -> None:
    sets = resources("AWS::SES::ConfigurationSet")
    functions = resources("AWS::Serverless::Function")
    used = {
        name: sets[functions[name]["Environment"]["Variables"]["EMAIL_CONFIGURATION_SET"]["Ref"]]
        for name in ("VerifySend", "SendEmailTemplate")
    }
    assert {name: each["SuppressionOptions"] for name, each in used.items()} == {
        "VerifySend": {"SuppressedReasons": ["BOUNCE"]},
        "SendEmailTemplate": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
    }


def test_an_alarm_is_raised_when_wrong_codes_outnumber_right_ones_by_fifty() -> None:
    alarm = resources("AWS::CloudWatch::Alarm")["GuessingAlarm"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == (
        "WrongOverRight",
        "Sum",
        50,
    )
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "verify_check"}]
    own = resources("AWS::CloudWatch::Alarm")["CountryPausedAlarm"]["Namespace"]
    assert alarm["Namespace"] == own


def containers(node: Any) -> Iterator[int]:
    """Identities of the maps and lists of a template."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict | list):
        yield id(node)
    for each in children:
        yield from containers(each)


def test_what_aliases_name_is_written_out() -> None:
    """Each use is a copy of its own, as in the SAM CLI: a change at one place affects no other."""
    found = list(containers(sam.read_template()))
    assert len(found) == len(set(found))
    aliases = [
        each for each in yaml.scan(sam.TEMPLATE.read_text()) if isinstance(each, yaml.AliasToken)
    ]
    assert len(aliases) > 50, "otherwise this would prove nothing"


def test_every_function_has_its_folder() -> None:
    handlers = {each["Handler"] for each in resources("AWS::Serverless::Function").values()}
    folders = [("workflows", name) for name in WORKFLOWS] + [("api", name) for name in API]
    assert handlers == {
        f"functions.{folder}.{name}.handler.lambda_handler" for folder, name in folders
    }


@pytest.mark.parametrize("name", WORKFLOWS)
def test_each_workflow_is_reached_under_its_name(name: str) -> None:
    api = translated()["Resources"]["Api"]["Properties"]["Body"]
    security: list[dict[str, list[str]]] | None = None if name in PUBLIC else [{"Token": []}]
    assert api["paths"][f"/workflows/{name}"]["post"].get("security") == security


def test_no_route_is_open_but_the_public_documents_signed_webhooks_and_registration() -> None:
    paths = translated()["Resources"]["Api"]["Properties"]["Body"]["paths"].items()
    security = {
        (method, path): about.get("security")
        for path, methods in paths
        for method, about in methods.items()
    }
    public = {route for route, schemes in security.items() if schemes is None}
    assert public == {
        ("get", "/.well-known/jwks.json"),
        ("get", "/openapi.json"),
        ("get", "/usersnap.js"),
        ("get", "/verify-messages.js"),
        ("get", "/verify.d.ts"),
        ("get", "/verify.js"),
        ("get", "/webhooks/{source}"),
        ("post", "/webhooks/{source}"),
        ("post", "/workflows/record_registration"),
    }
    assert all(
        schemes == [{"Token": []}] for route, schemes in security.items() if route not in public
    )


def test_every_scheme_that_a_route_names_is_declared() -> None:
    """The import only warns of an undeclared one, such as NONE, and FailOnWarnings refuses it."""
    api = translated()["Resources"]["Api"]["Properties"]
    operations = [about for methods in api["Body"]["paths"].values() for about in methods.values()]
    named = {
        scheme
        for about in operations
        for security in about.get("security", [])
        for scheme in security
    }
    assert named == set(api["Body"]["components"]["securitySchemes"]) == {"Token"}
    assert api["FailOnWarnings"] is True
    assert "security" not in api["Body"]


def test_only_the_workflow_that_makes_the_first_token_is_called_without_one() -> None:
    assert PUBLIC == ["record_registration"]


def test_every_function_has_a_sample_event() -> None:
    assert {path.stem for path in (sam.ROOT / "tests/events").glob("*.json")} == {*WORKFLOWS, *API}


def test_every_function_ships_with_its_package_path_and_dependencies() -> None:
    """`sam build` without a manifest prints "Build Succeeded" and ships no dependencies."""
    template = sam.read_template()
    assert template["Globals"]["Function"]["CodeUri"] == "functions/"
    assert (FUNCTIONS / "requirements.txt").resolve() == sam.ROOT / "requirements.txt"
    wanted = {"ParentPackageMode": "explicit", "ParentPackages": "functions"}
    functions = [
        each
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    ]
    assert all(each["Metadata"]["BuildProperties"] == wanted for each in functions)


def test_what_ships_is_pinned_and_is_what_is_tested() -> None:
    lines = (sam.ROOT / "requirements.txt").read_text().splitlines()
    pins = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    for name, version in (pin.split("==") for pin in pins):
        assert importlib.metadata.version(name) == version


def test_all_that_ships_is_listed() -> None:
    """requirements.txt is complete: nothing in it depends on a package that it lacks."""
    lines = (sam.ROOT / "requirements.txt").read_text().splitlines()
    listed = {canonical(line.split("==")[0]) for line in lines if "==" in line}
    needed = {
        canonical(re.split(r"[\s;<>=!~(\[]", requirement)[0])
        for name in listed
        for requirement in importlib.metadata.requires(name) or []
        if "extra ==" not in requirement and "python_version" not in requirement
    }
    assert needed - listed == set()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_folder_is_named_like_an_installed_package() -> None:
    """`sam build` would merge the folder with the package."""
    installed = {canonical(name) for name in importlib.metadata.packages_distributions()}
    folders = {path.name for path in FUNCTIONS.iterdir() if path.is_dir()}
    assert folders & (installed | set(sys.stdlib_module_names)) == set()


WITHOUT_RESOURCE = {
    "lambda:GetAccountSettings",
    "scheduler:ListSchedules",
    "ses:GetAccount",
    "sns:GetSMSSandboxAccountStatus",
    "sms-voice:DescribeAccountAttributes",
    "states:SendTaskSuccess",
}
"""Actions that can only be allowed on `*`.

Source: Service Authorization Reference, where their "Resource types" are empty.
"""


def test_iam_names_actions_and_resources() -> None:
    for role, statement in statements():
        actions = (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
        assert all("*" not in action for action in actions), role
        assert statement.get("Resource") != "*" or set(actions) <= WITHOUT_RESOURCE, role
        if "NotResource" in statement:
            assert actions == ["sns:Publish"], "an SMS has no resource, everything else has"


def test_verify_send_may_use_other_providers_only_when_they_are_set_up() -> None:
    statements = resources("AWS::IAM::Role")["VerifySendRole"]["Policies"][0]["PolicyDocument"][
        "Statement"
    ]
    conditional = [each["Fn::If"] for each in statements if "Fn::If" in each]
    nothing = {"Ref": "AWS::NoValue"}
    assert [
        (condition, granted["Action"], otherwise) for condition, granted, otherwise in conditional
    ] == [
        ("HasEndUserMessagingOrigination", "sms-voice:SendTextMessage", nothing),
        ("HasTwilioSecret", "secretsmanager:GetSecretValue", nothing),
        ("HasCaptchaSecret", "secretsmanager:GetSecretValue", nothing),
    ]
    assert conditional[0][1]["Resource"][0] == {"Ref": "EndUserMessagingOrigination"}
    assert [each[1]["Resource"] for each in conditional[1:]] == [
        {"Ref": "TwilioSecret"},
        {"Ref": "CaptchaSecret"},
    ]


def test_schedules_can_call_nothing_but_their_own_function() -> None:
    passed = [
        each["Resource"]
        for role, each in statements()
        if (role, each["Action"]) == ("SchedulesRole", "iam:PassRole")
    ]
    assert passed == [{"Fn::GetAtt": ["RunSchedulesRole", "Arn"]}]
    (called,) = (
        each["Resource"]["Fn::Sub"]
        for role, each in statements()
        if (role, each["Action"]) == ("RunSchedulesRole", "lambda:InvokeFunction")
    )
    assert called.endswith(":function:${AWS::StackName}-schedules")


def test_registration_may_only_renew_its_own_secret_and_write_a_token() -> None:
    allowed = {
        str(statement["Action"]): statement["Resource"]
        for role, statement in statements()
        if role == "RecordRegistrationRole" and "logs:PutLogEvents" not in statement["Action"]
    }
    assert allowed == {
        "['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue']": {
            "Fn::GetAtt": ["RegistrationToken", "Id"]
        },
        "dynamodb:PutItem": {"Fn::GetAtt": ["Tokens", "Arn"]},
    }


def test_nothing_else_may_read_the_registration_token() -> None:
    named = sorted(
        (role, statement["Action"])
        for role, statement in statements()
        if "RegistrationToken" in json.dumps(statement)
    )
    assert named == [
        ("CheckAppLocationRole", "secretsmanager:DescribeSecret"),
        (
            "RecordRegistrationRole",
            ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
        ),
    ]


def test_the_registration_token_is_48_letters_and_digits() -> None:
    about = resources("AWS::SecretsManager::Secret")["RegistrationToken"]["GenerateSecretString"]
    assert about == {"PasswordLength": 48, "ExcludePunctuation": True}


CLASSES = {
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}
"""Character classes of generated passwords (Secrets Manager), each with the option that omits it.

A password has at least one character of each class that is not switched off.
"""


def left_of(generated: dict[str, Any]) -> dict[str, set[str]]:
    """Characters of each class that is not switched off."""
    excluded = set(generated.get("ExcludeCharacters", ""))
    return {
        name: set(every) - excluded for name, every in CLASSES.items() if not generated.get(name)
    }


@pytest.mark.parametrize("name", resources("AWS::SecretsManager::Secret"))
def test_no_class_of_characters_is_emptied_that_a_generated_secret_must_have(name: str) -> None:
    """Secrets Manager refuses such a secret, and the stack rolls back."""
    generated = resources("AWS::SecretsManager::Secret")[name]["GenerateSecretString"]
    assert generated.get("RequireEachIncludedType", True) is True
    assert [each for each, left in left_of(generated).items() if not left] == []


def test_a_class_that_is_emptied_is_found() -> None:
    assert left_of({"ExcludeCharacters": string.punctuation})["ExcludePunctuation"] == set()
    assert "ExcludePunctuation" not in left_of({"ExcludePunctuation": True})


def test_a_check_makes_and_deletes_its_own_schedules_only() -> None:
    allowed = {
        str(each["Action"]): each["Resource"]
        for role, each in statements()
        if role == "CheckAppLocationRole"
    }
    made = allowed["['scheduler:CreateSchedule', 'scheduler:DeleteSchedule']"]["Fn::Sub"]
    assert made.endswith(":schedule/${VerificationSchedules}/check.*")
    assert allowed["iam:PassRole"] == {"Fn::GetAtt": ["VerificationSchedulesRole", "Arn"]}


def test_what_is_checked_of_secrets_may_be_described_and_not_read() -> None:
    variables = resources("AWS::Serverless::Function")["CheckAppLocation"]["Environment"][
        "Variables"
    ]
    allowed = {
        str(each["Action"]): each["Resource"]
        for role, each in statements()
        if role == "CheckAppLocationRole"
    }
    _, checked = variables["CHECKED_SECRETS"]["Fn::Join"]
    assert checked[:-1] == allowed["secretsmanager:DescribeSecret"][:-1]
    assert {each["Fn::GetAtt"][0] for each in checked[:-1]} == set(
        resources("AWS::SecretsManager::Secret")
    )
    assert checked[-1]["Fn::If"][1]["Fn::Sub"] == "${AWS::StackName}-webhook-twilio"
    assert allowed["secretsmanager:DescribeSecret"][-1]["Fn::Sub"].endswith(
        ":secret:${AWS::StackName}-webhook-twilio*"
    )
    read = [
        each["Resource"]
        for role, each in statements()
        if (role, each["Action"]) == ("CheckAppLocationRole", "secretsmanager:GetSecretValue")
    ]
    assert read == [{"Ref": "TwilioSecret"}, {"Ref": "CaptchaSecret"}]


def test_definitions_of_schedules_outlast_the_files_of_runs() -> None:
    rules = resources("AWS::S3::Bucket")["RunFiles"]["LifecycleConfiguration"]["Rules"]
    assert {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule} == {
        "runs/",
        "uploads/",
        "answers/",
        "deliveries/",
        "waiting/",
    }


def test_variables_of_the_local_stack_are_named_for_the_sam_cli_and_no_deployment_has_one() -> None:
    named = sam.read_template()["Globals"]["Function"]["Environment"]["Variables"]
    local = {
        "AWS_ENDPOINT_URL",
        *stack._PATIENCE,
        *stack._LOCAL,
        *providers.variables(""),
    }
    assert {name for name, value in named.items() if value == {"Ref": "AWS::NoValue"}} == local
    functions = resources("AWS::Serverless::Function").values()
    assert not any(local & about["Environment"]["Variables"].keys() for about in functions)


def test_no_role_has_more_than_its_inline_policy() -> None:
    assert all("ManagedPolicyArns" not in role for role in resources("AWS::IAM::Role").values())
    assert all(
        "Policies" not in function for function in resources("AWS::Serverless::Function").values()
    )


def conditions() -> dict[str, str]:
    found = sam.read_template()["Resources"].items()
    return {name: each["Condition"] for name, each in found if "Condition" in each}


def test_by_default_nothing_listens_to_changes_and_nobody_reports_deliveries() -> None:
    made = {
        condition: {name for name, each in conditions().items() if each == condition}
        for condition in SWITCHED
    }
    assert made == SWITCHED
    parameters = sam.read_template()["Parameters"]
    assert (parameters["EventsUrl"]["Default"], parameters["DeliveryStatus"]["Default"]) == (
        "",
        "false",
    )
    stream = resources("AWS::DynamoDB::Table")["Verifications"]["StreamSpecification"]
    assert stream == {
        "Fn::If": ["EventsSent", {"StreamViewType": "NEW_AND_OLD_IMAGES"}, {"Ref": "AWS::NoValue"}]
    }


def test_ses_reports_to_a_topic_that_signs_with_sha_256_and_takes_from_ses_alone() -> None:
    (topic,) = (
        each for each in resources("AWS::SNS::Topic").values() if "SignatureVersion" in each
    )
    assert (topic["SignatureVersion"], topic["TopicName"]["Fn::Sub"]) == (
        "2",
        "${AWS::StackName}-email-events",
    )
    (policy,) = resources("AWS::SNS::TopicPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Principal"]) == (
        "sns:Publish",
        {"Service": "ses.amazonaws.com"},
    )
    assert set(statement["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}
    sources = resources("AWS::Serverless::Function")["Webhooks"]["Environment"]["Variables"][
        "STACK_TOPICS"
    ]
    (condition, topics, otherwise) = sources["Fn::If"]
    assert (condition, otherwise) == ("DeliveryTracked", "")
    assert f"{topics['Fn::Sub']}email-events".endswith(":${AWS::StackName}-email-events")


def test_what_sns_could_not_deliver_within_the_tolerance_of_its_signature_is_kept() -> None:
    (subscription,) = resources("AWS::SNS::Subscription").values()
    policy = subscription["DeliveryPolicy"]["healthyRetryPolicy"]
    assert policy["numRetries"] * policy["maxDelayTarget"] <= TOLERANCE.total_seconds()
    assert subscription["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    }


def test_webhooks_may_read_secrets_of_sources_keep_deliveries_and_start_runs_and_nothing_else() -> (
    None
):
    allowed = [each for role, each in statements() if role == "WebhooksRole"]
    actions = [each["Action"] for each in allowed]
    assert actions == [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        "secretsmanager:GetSecretValue",
        ["s3:GetObject", "s3:PutObject"],
        "s3:ListBucket",
        "dynamodb:BatchGetItem",
        ["dynamodb:BatchGetItem", "dynamodb:Query"],
        "states:ListMapRuns",
        "states:DescribeMapRun",
        ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
        "states:SendTaskSuccess",
        ["s3:GetObject", "s3:PutObject"],
        "states:StartExecution",
        "states:DescribeExecution",
        ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        "dynamodb:GetItem",
        ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
        ["s3:GetObject", "s3:PutObject"],
    ]
    assert allowed[1]["Resource"]["Fn::Sub"].endswith(":secret:${AWS::StackName}-webhook-*")
    assert allowed[2]["Resource"]["Fn::Sub"] == "${RunFiles.Arn}/deliveries/*"


def test_who_wakes_items_touches_events_with_a_key_and_their_listeners_only() -> None:
    (outcomes,) = [
        each
        for role, each in statements()
        if role == "WebhooksRole" and "Condition" in each and "dynamodb:Query" in each["Action"]
    ]
    assert outcomes["Resource"] == {"Fn::GetAtt": ["Outcomes", "Arn"]}
    (keys,) = outcomes["Condition"]["ForAllValues:StringLike"].values()
    assert keys == ["event key *", "listener key *"]
    assert event_box.key_address("user.activated", "u").startswith("key ")


def test_check_may_only_update_verifications_read_its_keys_and_sign() -> None:
    allowed = [
        statement["Action"]
        for role, statement in statements()
        if role == "VerifyCheckRole" and "logs:PutLogEvents" not in statement["Action"]
    ]
    assert allowed == ["dynamodb:UpdateItem", "secretsmanager:GetSecretValue", "kms:Sign"]


def test_events_may_read_their_keys_and_run_in_the_background_and_nothing_else() -> None:
    log, key, *others = [each for role, each in statements() if role == "DeliverEventRole"]
    assert "logs:PutLogEvents" in log["Action"]
    keys = [{"Fn::GetAtt": [name, "Id"]} for name in ("EventsKey", "UsersnapPortalKey")]
    assert (key["Action"], key["Resource"]) == ("secretsmanager:GetSecretValue", keys)
    portal, *background = others
    assert (portal["Action"], portal["Resource"]) == (
        "dynamodb:GetItem",
        {"Fn::GetAtt": ["AppSettings", "Arn"]},
    )
    like = [each for role, each in statements() if role == "SendEmailTemplateRole"]
    assert [each in like for each in background] == [True] * 12
    about = json.dumps([each["Resource"] for each in background])
    assert re.findall(
        r"RunFiles|RunRecords|Outcomes|Tokens|RunWorkflow|Idempotency|Limits", about
    ) == [
        "RunFiles",
        "Outcomes",
        "RunFiles",
        "Tokens",
        "RunWorkflow",
        "RunWorkflow",
        "RunRecords",
        "RunWorkflow",
        "RunWorkflow",
        "Outcomes",
        "Idempotency",
        "RunFiles",
    ]


def test_the_key_of_events_is_base64_of_33_bytes() -> None:
    """Letters and digits only, in a number that makes whole bytes."""
    made = resources("AWS::SecretsManager::Secret")["EventsKey"]["GenerateSecretString"]
    assert made == {"PasswordLength": 44, "ExcludePunctuation": True}
    assert len(base64.b64decode("aZ09" * 11, validate=True)) == 33


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://example.com", True),
        ("https://example.com:443/events?a=b", True),
        ("https://bücher.example/events", True),
        ("http://127.0.0.1:9000/events", True),
        ("http://localhost:9000", True),
        ("http://example.com", False),
        ("http://localhost", False),
        ("https://example.com:8443", False),
        ("https://ana:secret@example.com", False),
        ("https://example.com/#part", False),
        ("https://example.com/a b", False),
    ],
)
def test_a_url_of_events_is_refused_alike_by_the_template_and_on_the_local_stack(
    url: str, *, allowed: bool
) -> None:
    assert (
        bool(re.fullmatch(sam.read_template()["Parameters"]["EventsUrl"]["AllowedPattern"], url))
        is allowed
    )
    with nullcontext() if allowed else pytest.raises(DeliveryRefused):
        read_url(url, local=True)


@pytest.mark.parametrize(
    ("types", "allowed"),
    [
        ("*", True),
        ("verification.approved,email.*", True),
        ("verification.approved.late", True),
        ("verification", False),
        ("verification*", False),
        ("*.approved", False),
        ("verification.approved,email", False),
    ],
)
def test_types_of_events_that_cannot_be_are_refused(types: str, *, allowed: bool) -> None:
    with nullcontext() if allowed else pytest.raises(SettingsError, match="EVENT_TYPES"):
        read_from(EventSettings, {"EVENTS_KEY_SECRET": "arn", "EVENT_TYPES": types})


def test_without_proofs_there_is_no_key_and_no_permission_to_use_one() -> None:
    about = sam.read_template()
    assert about["Parameters"]["Proofs"]["Default"] == "false"
    proof = {"ProofKeyMade", "ProofsSigned"}
    assert {name: condition for name, condition in conditions().items() if condition in proof} == {
        "ProofKey": "ProofKeyMade",
        "ProofKeyAlias": "ProofKeyMade",
        "VerifyCheckSigns": "ProofsSigned",
        "DocumentsPublishes": "ProofsSigned",
    }
    assert not [
        role for role, each in resources("AWS::IAM::Role").items() if "kms:" in json.dumps(each)
    ]


def test_only_the_first_proof_key_signs_and_all_are_published() -> None:
    listed = {"Fn::Split": [",", {"Ref": "ProofKeys"}]}
    own = {"Fn::GetAtt": ["ProofKey", "Arn"]}
    allowed = {
        each["Action"]: each["Resource"]
        for _, each in statements()
        if "kms:" in str(each["Action"])
    }
    assert allowed == {
        "kms:Sign": {"Fn::If": ["ProofKeysListed", {"Fn::Select": [0, listed]}, own]},
        "kms:GetPublicKey": {"Fn::If": ["ProofKeysListed", listed, [own]]},
    }


def test_the_proof_keys_own_policy_lets_nobody_but_check_sign() -> None:
    (key,) = resources("AWS::KMS::Key").values()
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    manage, sign = key["KeyPolicy"]["Statement"]
    assert not {"kms:*", "kms:Sign", "kms:S*"} & set(manage["Action"])
    assert sign["Action"] == "kms:Sign"
    assert sign["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["VerifyCheckRole", "Arn"]}}
    }


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("ProofKeys", "", True),
        ("ProofKeys", "arn:aws:kms:eu-west-1:123456789012:key/a-1", True),
        (
            "ProofKeys",
            "arn:aws:kms:eu-west-1:123456789012:key/a-1,arn:aws:kms:eu-west-1:123456789012:key/mrk-2",
            True,
        ),
        ("ProofKeys", "arn:aws:kms:eu-west-1:123456789012:key/a-1,", False),
        ("ProofKeys", "arn:aws:kms:eu-west-1:123456789012:key/a-1 ,x", False),
        ("ProofKeys", "arn:aws:kms:eu-west-1:123456789012:alias/proof", False),
        ("PublicUrl", "", True),
        ("PublicUrl", "https://api.example.com", True),
        ("PublicUrl", "https://example.com/api", True),
        ("PublicUrl", "http://127.0.0.1:8787", True),
        ("PublicUrl", "http://api.example.com", False),
        ("PublicUrl", "https://api.example.com/", False),
        ("PublicUrl", "https://api.example.com?x", False),
        ("PublicUrl", "api.example.com", False),
    ],
)
def test_settings_of_proofs_are_refused_alike_by_the_template_and_the_functions(
    parameter: str, value: str, *, allowed: bool
) -> None:
    pattern = sam.read_template()["Parameters"][parameter]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) is allowed
    kinds: dict[str, tuple[str, type[ProofSettings | ApiSettings]]] = {
        "ProofKeys": ("PROOF_KEYS", ProofSettings),
        "PublicUrl": ("PUBLIC_URL", ApiSettings),
    }
    variable, kind = kinds[parameter]
    if allowed:
        read_from(kind, {variable: value})
    elif not value.endswith(","):  # which read_from forgives
        with pytest.raises(SettingsError, match=variable):
            read_from(kind, {variable: value})


def test_tokens_outlive_the_stack_of_production_and_settings_can_be_restored() -> None:
    tables = sam.read_template()["Resources"]
    protected = {"Fn::If": ["Production", True, False]}
    assert tables["Tokens"]["Properties"]["DeletionProtectionEnabled"] == protected
    assert sam.read_template()["Conditions"]["Production"] == {
        "Fn::Equals": [{"Ref": "Stage"}, "prod"]
    }
    for name in ("Tokens", "AppSettings"):
        recovery = tables[name]["Properties"]["PointInTimeRecoverySpecification"]
        assert recovery == {"PointInTimeRecoveryEnabled": True}
        assert tables[name]["UpdateReplacePolicy"] == "Retain"


LONGEST_NAMES = {
    "FunctionName": 64,  # Lambda, CreateFunction
    "TableName": 255,
    "BucketName": 63,
    "QueueName": 80,
    "TopicName": 256,
    "AlarmName": 255,
    "LogGroupName": 512,
    "AliasName": 256,
}
"""Characters; 64 is the shortest limit of names called `Name` (SES, EventBridge Scheduler)."""


def test_a_stacks_name_may_have_41_characters() -> None:
    """Stated in docs/how-to/operations.md."""
    suffixes = [
        (LONGEST_NAMES.get(key, 64), each["Fn::Sub"].replace("${AWS::StackName}", ""))
        for resource in sam.read_template()["Resources"].values()
        for key, each in resource.get("Properties", {}).items()
        if (key == "Name" or key in LONGEST_NAMES) and "Fn::Sub" in each
    ]
    assert min(longest - len(suffix) for longest, suffix in suffixes) == 41
    assert "BucketName" not in resources("AWS::S3::Bucket")["RunFiles"], (
        "its name would have account and region, too"
    )


def test_tables_are_encrypted_and_what_is_deleted_is_gone() -> None:
    tables = resources("AWS::DynamoDB::Table")
    assert all(table["SSESpecification"] == {"SSEEnabled": True} for table in tables.values())
    ttl = {name: table.get("TimeToLiveSpecification") for name, table in tables.items()}
    expiring = {"AttributeName": "delete_at", "Enabled": True}
    assert ttl == {
        "Verifications": expiring,
        "Limits": expiring,
        "Tokens": None,
        "RunRecords": expiring,
        "Outcomes": expiring,
        "Idempotency": expiring,
        "AppSettings": None,
    }
    assert "PointInTimeRecoverySpecification" not in tables["Verifications"]


def test_the_portals_first_key_is_one_of_standard_webhooks() -> None:
    """Letters and digits only, a multiple of four of them: base64 of 33 bytes."""
    generated = resources("AWS::SecretsManager::Secret")["UsersnapPortalKey"][
        "GenerateSecretString"
    ]
    assert generated == {"PasswordLength": 44, "ExcludePunctuation": True}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("DocumentsRole", {"dynamodb:GetItem": "AppSettings.Arn", "kms:GetPublicKey": None}),
        (
            "UpdateUsersnapRole",
            {
                "dynamodb:GetItem": "AppSettings.Arn",
                "dynamodb:UpdateItem": "AppSettings.Arn",
                "secretsmanager:GetSecretValue": "UsersnapPortalKey.Id",
                "secretsmanager:PutSecretValue": "UsersnapPortalKey.Id",
            },
        ),
    ],
)
def test_settings_of_the_app_are_read_and_changed_by_whom_they_concern(
    role: str, allowed: dict[str, str | None]
) -> None:
    found = {
        action: None if "Fn::If" in each["Resource"] else ".".join(each["Resource"]["Fn::GetAtt"])
        for name, each in statements()
        for action in (each["Action"] if isinstance(each["Action"], list) else [each["Action"]])
        if name == role
        and each["Resource"] != {"Fn::GetAtt": ["Idempotency", "Arn"]}
        and each["Resource"] != {"Fn::Sub": "${RunFiles.Arn}/answers/*"}
        and "logs:" not in action
    }
    assert found == allowed


def test_files_of_runs_are_private_encrypted_and_gone_after_a_week() -> None:
    (bucket,) = resources("AWS::S3::Bucket").values()
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    rules = {
        each.get("Prefix"): each.get("ExpirationInDays")
        for each in bucket["LifecycleConfiguration"]["Rules"]
    }
    assert rules == {
        "runs/": ITEMS_KEPT_SECONDS // 86_400,
        "uploads/": ITEMS_KEPT_SECONDS // 86_400,
        "answers/": ANSWERS_KEPT_SECONDS // 86_400,
        "deliveries/": 7,
        "waiting/": 400,
        None: None,
    }
    (policy,) = resources("AWS::S3::BucketPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_a_page_of_an_allowed_origin_may_upload_a_list_and_do_nothing_else_in_the_bucket() -> None:
    (bucket,) = resources("AWS::S3::Bucket").values()
    (rule,) = bucket["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == ({"Ref": "AllowedOrigins"}, ["POST"])
    assert rule["ExposedHeaders"] == ["ETag"]


def cut_values(text: str) -> list[str]:
    """Lines of YAML whose unquoted text contains ` #`: the rest would be a comment, and be lost."""
    lines = text.splitlines()
    ends = [
        (token.end_mark.line, token.end_mark.column)
        for token in yaml.scan(text)
        if _is_plain(token)
    ]
    return [
        lines[line]
        for line, column in ends
        if lines[line : line + 1] and re.match(r"\s+#", lines[line][column:])
    ]


def _is_plain(token: yaml.Token) -> bool:
    return isinstance(token, yaml.ScalarToken) and token.plain


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("a: in emails, as #rrggbb.", True),
        ("a: in\n  emails, as #rrggbb.\n  end", True),
        ("- x #1", True),
        ("{a: x #1\n}", True),
        ("a: 5 # seconds", True),
        ('a: "in emails, as #rrggbb."', False),
        ("a: >-\n  in emails, as #rrggbb.", False),
        ("a: emails#rrggbb", False),
        ("# a comment\na: b\n# another", False),
    ],
)
def test_a_cut_value_is_found(text: str, *, cut: bool) -> None:
    assert bool(cut_values(text)) is cut


@pytest.mark.parametrize("path", sorted(YAML))
def test_no_value_is_cut_by_a_number_sign(path: str) -> None:
    """Comments stand on lines of their own, so that this test can find such values."""
    assert cut_values((sam.ROOT / path).read_text()) == []


def test_what_cannot_run_in_the_background_has_no_permission_of_runs() -> None:
    allowed = {
        role for role, statement in statements() if statement["Action"] == "states:StartExecution"
    }
    assert allowed.isdisjoint({"VerifyCheckRole", "UpdateUsersnapRole", "RecordRegistrationRole"})
    assert {
        "RunWorkflowRole",
        "VerifySendRole",
        "VerifyDeleteRole",
        "SendEmailTemplateRole",
    } <= allowed


def test_answers_of_the_authorizer_are_cached_60_seconds() -> None:
    body = translated()["Resources"]["Api"]["Properties"]["Body"]
    authorizer = body["components"]["securitySchemes"]["Token"]["x-amazon-apigateway-authorizer"]
    assert authorizer["authorizerResultTtlInSeconds"] == 60
    assert authorizer["enableSimpleResponses"] is True
    assert authorizer["identitySource"] == ["$request.header.Authorization"]


def test_api_gateway_may_call_the_authorizer() -> None:
    """Without this permission every call is a 500 on AWS."""
    made = translated()["Resources"]["ApiTokenAuthorizerPermission"]["Properties"]
    assert (made["Action"], made["Principal"]) == (
        "lambda:InvokeFunction",
        "apigateway.amazonaws.com",
    )


def test_the_access_log_has_no_query_and_no_headers() -> None:
    access_log = resources("AWS::Serverless::HttpApi")["Api"]["AccessLogSettings"]["Format"]
    quoted = access_log.replace(
        "$context.error.messageString", '"Forbidden"'
    )  # whose value has its own quotes
    assert quoted != access_log
    assert set(json.loads(quoted)) >= {"request_id", "status", "token_id", "error"}
    assert not re.search(r"querystring|header|\$context\.path", access_log, re.IGNORECASE)
