"""The deployment's identity and its checks: each right, wrong with a remedy, and unknown."""

import io
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

import pytest

from functions.core import config
from functions.core.errors import TooSlow
from functions.core.workflow import NotValid
from functions.workflows.check_app_location import asking
from functions.workflows.check_app_location.asking import Finding
from functions.workflows.check_app_location.email import identities
from functions.workflows.check_app_location.handler import lambda_handler as check_app_location
from functions.workflows.check_app_location.location import Url, normal_form
from infra.local import captcha, twilio
from infra.local.stand_ins import running_stand_ins
from tests import fakes
from tests.builders import Context, call, http_event
from tests.workflows.conftest import Settings, admin, sent_emails, sent_sms

pytestmark = [pytest.mark.usefixtures("cloud"), pytest.mark.slow]

SWITCHED_OFF = ["events_url", "email_reports"]
"""Checks that are switched off by default."""
FOR_TEMPLATES = ["link_hosts", "reply_to_domains"]
"""Checks that do not concern codes."""
CHECKS = [
    "email_sender",
    "email_sandbox",
    *FOR_TEMPLATES,
    "sms_sandbox",
    "sms_providers",
    "captcha",
    "secrets",
    "schedules",
    "runs",
    "concurrency",
    *SWITCHED_OFF,
]
TOPIC = "arn:aws:sns:us-east-1:123456789012:local-email-events"
SERVICES = {
    "email_sender": "SESV2",
    "email_sandbox": "SESV2",
    "sms_sandbox": "SNS",
    "captcha": "SECRETS_MANAGER",
    "secrets": "SECRETS_MANAGER",
    "schedules": "SCHEDULER",
    "runs": "SFN",
    "concurrency": "LAMBDA",
    "email_reports": "SNS",
}
"""Service that each check calls, as named in AWS_ENDPOINT_URL_…."""
ROLE = "arn:aws:iam::123456789012:role/schedules"


class Account:
    """Stands for SES, SNS and End User Messaging, and describes an account over HTTP."""

    def __init__(self) -> None:
        self.identities = {"example.com": True}
        self.sends, self.production = True, True
        self.concurrency = 1000
        self.sns_sandbox, self.tier = "false", "PRODUCTION"
        self.subscriptions = [f"{TOPIC}:1"]
        """ARNs of the subscriptions of the report topic."""
        self.denied = ""
        """Question that is denied: account, identities or sandbox (SNS)."""

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """Script for `fakes.server`."""
        place, _, name = unquote(request.path).removeprefix("/v2/email/").strip("/").partition("/")
        if b"Action=ListSubscriptionsByTopic" in body:
            self._list_subscriptions(request)
        elif (place or "sandbox") == self.denied:
            denial = b"<E><Error><Code>AccessDenied</Code></Error></E>" if not place else b"{}"
            fakes.reply(request, 403, denial, {"x-amzn-errortype": "AccessDenied"})
        elif request.headers["x-amz-target"]:
            self._json(
                request, 200, {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": self.tier}]}
            )
        elif place == "2016-08-19":
            limits = {
                "ConcurrentExecutions": 1000,
                "UnreservedConcurrentExecutions": self.concurrency,
            }
            self._json(request, 200, {"AccountLimit": limits})
        elif place == "account":
            self._json(
                request,
                200,
                {"SendingEnabled": self.sends, "ProductionAccessEnabled": self.production},
            )
        elif place == "identities" and name in self.identities:
            self._json(request, 200, {"VerifiedForSendingStatus": self.identities[name]})
        elif place == "identities":
            self._json(request, 404, {"message": "none"}, {"x-amzn-errortype": "NotFoundException"})
        else:
            result = (
                f"<GetSMSSandboxAccountStatusResult><IsInSandbox>{self.sns_sandbox}</IsInSandbox>"
            )
            told = f"<R>{result}</GetSMSSandboxAccountStatusResult></R>".encode()
            fakes.reply(request, 200, told, {"content-type": "text/xml"})

    def _list_subscriptions(self, request: BaseHTTPRequestHandler) -> None:
        endpoint = "<Endpoint>https://x.example/webhooks/ses</Endpoint>"
        members = "".join(
            f"<member>{endpoint}<SubscriptionArn>{each}</SubscriptionArn></member>"
            for each in self.subscriptions
        )
        result = f"<Subscriptions>{members}</Subscriptions></ListSubscriptionsByTopicResult></R>"
        fakes.reply(
            request,
            200,
            f"<R><ListSubscriptionsByTopicResult>{result}".encode(),
            {"content-type": "text/xml"},
        )

    def _json(
        self, request: Any, status: int, body: object, headers: dict[str, str] | None = None
    ) -> None:
        fakes.reply(
            request,
            status,
            json.dumps(body).encode(),
            {"content-type": "application/json"} | (headers or {}),
        )


@pytest.fixture(scope="module")
def accounts() -> Iterator[list[Account]]:
    """The current account, as the only element of a list.

    The server's URL stays the same: with a new one, each test would have to make new clients.
    """
    accounts = [Account()]
    services = ("SESV2", "SNS", "PINPOINT_SMS_VOICE_V2", "LAMBDA")

    def script(request: BaseHTTPRequestHandler, body: bytes) -> None:
        accounts[0].answer(request, body)

    with (
        fakes.server(script) as url,
        running_stand_ins(lambda _: None) as stand_ins,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("CAPTCHA_URL", stand_ins)
        for service in services:
            patch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        config.reset(everything=True)
        yield accounts
    config.reset(everything=True)


@pytest.fixture(autouse=True)
def account(accounts: list[Account], cloud: None, settings: Settings) -> Account:  # noqa: ARG001 - is there first
    """An account in which every check passes."""
    settings.set(EVENTS_URL="https://app.example.com/events", EMAIL_EVENTS_TOPIC=TOPIC)
    settings.set(LINK_HOSTS="app.example.com,*.example.org", REPLY_TO_DOMAINS="example.com")
    settings.set(CAPTCHA="turnstile", CAPTCHA_HOSTNAMES="example.com", LOCAL_RECEIVERS="true")
    settings.set(CAPTCHA_SECRET=captcha_secret(captcha.TURNSTILE_SECRET))
    accounts[0] = Account()
    return accounts[0]


def ask(**parameters: Any) -> dict[str, Any]:
    reply = call(check_app_location, parameters)
    assert reply.status == 200, reply.body
    return reply.body


def found(name: str) -> tuple[bool | None, str]:
    """Result and detail of a check."""
    return next((each["ok"], each["detail"]) for each in ask()["checks"] if each["name"] == name)


def refuses(code: str, status: int = 400) -> fakes.Script:
    body = json.dumps({"__type": code, "message": "no"}).encode()
    return fakes.answers(status, body, content_type="application/json", x_amzn_errortype=code)


def schedules() -> list[str]:
    return [
        each["Name"]
        for each in admin("scheduler").list_schedules(GroupName="verifications")["Schedules"]
    ]


# --- where it is ----------------------------------------------------------------------------------


def test_given_values_are_compared_and_the_answer_always_has_the_same_shape() -> None:
    told = ask(stage="dev", region="us-east-1", url="https://api.example.com")
    assert told["matches"] is True
    assert told["stage"] == {"given": "dev", "actual": "dev", "matches": True}
    assert told["region"] == {"given": "us-east-1", "actual": "us-east-1", "matches": True}
    assert told["url"] == {
        "given": "https://api.example.com",
        "actual": "https://api.example.com",
        "matches": True,
    }
    assert [each["name"] for each in told["checks"]] == CHECKS
    assert told.keys() == ask().keys() == {"matches", "stage", "region", "url", "ready", "checks"}


def test_values_that_are_not_given_are_reported_and_not_compared() -> None:
    told = ask(stage="", url=None)
    assert [told[name]["matches"] for name in ("stage", "region", "url")] == [None] * 3
    assert (told["stage"]["actual"], told["matches"]) == ("dev", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "prod"),
        ("stage", "DEV"),
        ("region", "eu-west-1"),
        ("url", "https://api.example.org"),
    ],
)
def test_one_value_of_another_deployment_is_enough_for_no_match(name: str, value: str) -> None:
    told = ask(
        **{"stage": "dev", "region": "us-east-1", "url": "https://api.example.com"} | {name: value}
    )
    assert (told["matches"], told[name]["matches"]) == (False, False)
    assert sum(told[each]["matches"] for each in ("stage", "region", "url")) == 2


@pytest.mark.parametrize(
    ("url", "matches"),
    [
        ("https://api.example.com/", True),
        ("HTTPS://API.Example.COM", True),
        ("https://api.example.com:443", True),
        ("https://api.example.com//", True),
        ("http://api.example.com", False),
        ("https://api.example.com:8443", False),
        ("https://api.example.com/v1", False),
    ],
)
def test_a_url_is_the_same_however_it_is_spelled(url: str, *, matches: bool) -> None:
    assert ask(url=url)["url"]["matches"] is matches


def test_the_path_of_a_url_is_compared_with_its_case() -> None:
    assert normal_form("https://example.com/Api/") == "https://example.com/Api"
    assert normal_form("http://[::1]:80") == "http://[::1]"


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "ftp://example.com",
        "https://",
        "https://a?b",
        "https://a#b",
        "https://u:p@a",
        "https://a:b",
    ],
)
def test_an_invalid_api_url_is_refused(url: str) -> None:
    reply = call(check_app_location, {"url": url})
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/url")
    with pytest.raises(NotValid, match=r"must be a URL such as https://api\.example\.com"):
        Url.read(url)


def test_the_configured_url_wins_over_the_requests_domain(settings: Settings) -> None:
    settings.set(PUBLIC_URL="https://backend.example.com/api")
    told = ask(url="https://backend.example.com/api/")["url"]
    assert (told["actual"], told["matches"]) == ("https://backend.example.com/api", True)


def test_without_http_and_without_a_setting_no_url_is_known_and_none_matches() -> None:
    event = {"trigger": "direct", "parameters": {"url": "https://api.example.com"}}
    told = check_app_location(event, Context())["result"]
    assert told["url"] == {"given": "https://api.example.com", "actual": None, "matches": False}
    assert told["matches"] is False


def test_only_a_secret_token_may_ask() -> None:
    assert call(check_app_location, {}, kind="publishable").status == 403


# --- whether it is ready --------------------------------------------------------------------------


def test_a_deployment_that_has_everything_is_ready() -> None:
    told = ask()
    assert {each["name"]: each["ok"] for each in told["checks"]} == dict.fromkeys(CHECKS, True)
    assert told["ready"] is True


def test_nothing_is_sent_and_nothing_stays_behind() -> None:
    ask()
    assert (sent_emails(), sent_sms(), schedules()) == ([], [], [])


def test_one_check_that_is_false_is_enough_not_to_be_ready(account: Account) -> None:
    account.production = False
    assert ask()["ready"] is False


@pytest.mark.parametrize("name", ["secrets", "schedules", "runs"])
def test_a_required_check_that_is_denied_is_not_ready(name: str, settings: Settings) -> None:
    settings.set(**{"CAPTCHA": "none", f"AWS_ENDPOINT_URL_{SERVICES[name]}": fakes.nobody()})
    told = ask()
    assert [each["name"] for each in told["checks"] if each["ok"] is None] == ["captcha", name]
    assert told["ready"] is False


@pytest.mark.parametrize(
    ("place", "ready"), [("identities", False), ("account", True), ("sandbox", True)]
)
def test_a_sandbox_that_cannot_be_asked_about_does_not_matter_and_the_sender_does(
    place: str, account: Account, *, ready: bool
) -> None:
    account.denied = place
    told = ask()
    assert [each["detail"] for each in told["checks"] if not each["ok"]] == [
        "Could not be checked: AccessDenied."
    ]
    assert told["ready"] is ready


@pytest.mark.parametrize("name", SERVICES)
def test_a_check_that_fails_leaves_the_others_alone(
    name: str, settings: Settings, log: io.StringIO
) -> None:
    settings.set(**{f"AWS_ENDPOINT_URL_{SERVICES[name]}": fakes.nobody()})
    failed = {each["name"] for each in ask()["checks"] if each["ok"] is None}
    assert failed == {each for each in SERVICES if SERVICES[each] == SERVICES[name]}
    assert found(name) == (None, "Could not be checked: EndpointConnectionError.")
    assert '"not checked"' in log.getvalue()


def test_a_denial_is_told_by_aws_code(settings: Settings) -> None:
    with fakes.server(refuses("AccessDeniedException")) as url:
        settings.set(AWS_ENDPOINT_URL_SECRETS_MANAGER=url)
        assert found("secrets") == (None, "Could not be checked: AccessDeniedException.")


def test_a_temporary_failure_of_aws_is_reported_by_its_code(settings: Settings) -> None:
    with fakes.server(refuses("ThrottlingException", 429)) as url:
        settings.set(AWS_ENDPOINT_URL_SCHEDULER=url)
        assert found("schedules") == (None, "Could not be checked: ThrottlingException.")


def test_nothing_is_asked_twice(settings: Settings) -> None:
    """The SDK's retries would not fit into the call's time."""
    asked: list[str] = []

    def fails(request: BaseHTTPRequestHandler, _: bytes) -> None:
        asked.append(request.command)
        fakes.reply(request, 500, b"{}", {})

    with fakes.server(fails) as url:
        settings.set(**{f"AWS_ENDPOINT_URL_{service}": url for service in SERVICES.values()})
        ask()
    # Both deletions, because the schedule may have been made.
    assert len(asked) == len(SERVICES) + 2


def test_checks_without_time_left_are_not_made() -> None:
    answer = check_app_location(http_event({}), Context(remaining_ms=5_000))
    told = json.loads(answer["body"])
    checks = {each["name"]: (each["ok"], each["detail"]) for each in told["checks"]}
    assert {name for name, (ok, _) in checks.items() if ok is None} == set(SERVICES)
    assert {detail for ok, detail in checks.values() if ok is None} == {
        "Could not be checked: NoTimeLeft."
    }
    assert (answer["statusCode"], told["ready"]) == (200, False)


def test_the_calls_own_deadline_ends_the_checks() -> None:
    def check() -> Finding:
        raise TooSlow("The call took too long.")

    with pytest.raises(TooSlow):
        asking.run_check(check)


# --- Lambda ---------------------------------------------------------------------------------------


def test_a_new_account_is_told_how_many_functions_it_runs_and_how_to_raise_that(
    account: Account,
) -> None:
    account.concurrency = 10
    ok, detail = found("concurrency")
    assert (ok, ask()["ready"]) == (False, False)
    assert detail == (
        "Lambda can run only 10 functions at once, and a list uses 20 by default. "
        "Until that is raised, start lists with a max_concurrency of at most 5. "
        "Raise it: aws service-quotas request-service-quota-increase --service-code lambda "
        "--quota-code L-B99A9384 --desired-value 1000 --region us-east-1"
    )


@pytest.mark.parametrize(("concurrency", "ok"), [(1, False), (39, False), (40, True), (1000, True)])
def test_twice_as_many_functions_as_a_list_takes_are_enough(
    concurrency: int, account: Account, *, ok: bool
) -> None:
    account.concurrency = concurrency
    assert found("concurrency")[0] is ok


# --- email ----------------------------------------------------------------------------------------


def test_a_sender_may_be_verified_by_itself_its_domain_or_one_above() -> None:
    assert identities("No-Reply@Mail.Example.co.uk") == [
        "No-Reply@Mail.Example.co.uk",
        "mail.example.co.uk",
        "example.co.uk",
        "co.uk",
    ]
    assert identities("root@localhost") == ["root@localhost", "localhost"]


@pytest.mark.parametrize(
    "identity", ["no-reply@mail.example.com", "mail.example.com", "example.com"]
)
def test_one_verified_identity_is_enough_to_send(
    identity: str, account: Account, settings: Settings
) -> None:
    settings.set(EMAIL_FROM="no-reply@mail.example.com")
    account.identities = {"no-reply@mail.example.com": False, "mail.example.com": False} | {
        identity: True
    }
    assert found("email_sender") == (True, f"SES has verified {identity}.")


def test_an_unknown_sender_is_told_how_its_domain_is_verified(account: Account) -> None:
    account.identities = {}
    ok, detail = found("email_sender")
    assert (ok, detail.startswith("SES knows neither no-reply@example.com nor its domain.")) == (
        False,
        True,
    )
    assert detail.endswith(
        "aws sesv2 create-email-identity --email-identity example.com --region us-east-1"
    )


@pytest.mark.parametrize(
    ("identity", "fix"),
    [
        (
            "example.com",
            "shows: aws sesv2 get-email-identity --email-identity example.com --region us-east-1",
        ),
        ("no-reply@example.com", "Follow the link in the email from SES to it."),
    ],
)
def test_a_sender_that_waits_for_its_verification_is_told_what_for(
    identity: str, fix: str, account: Account
) -> None:
    account.identities = {identity: False}
    ok, detail = found("email_sender")
    assert (
        ok,
        detail.startswith(f"SES has not verified {identity} yet."),
        detail.endswith(fix),
    ) == (False, True, True)


def test_link_hosts_and_reply_domains_of_templates_are_reported() -> None:
    assert found("link_hosts") == (
        True,
        "Links in emails may go to app.example.com, *.example.org.",
    )
    assert found("reply_to_domains") == (
        True,
        "Replies to emails from templates may go to example.com.",
    )


@pytest.mark.parametrize(
    ("check", "variable", "example", "refused"),
    [
        (
            "link_hosts",
            "LINK_HOSTS",
            'link_hosts = ["app.example.com"]',
            "Emails that contain a link are refused: welcome, invitation, and codes with one",
        ),
        (
            "reply_to_domains",
            "REPLY_TO_DOMAINS",
            'reply_to_domains = ["example.com"]',
            "Emails from templates that have a reply_to are refused",
        ),
    ],
)
def test_an_empty_template_setting_is_named_with_its_effect_and_codes_stay_ready(
    check: str, variable: str, example: str, refused: str, settings: Settings
) -> None:
    settings.set(**{variable: ""})
    ok, detail = found(check)
    assert (
        ok,
        detail.startswith(f"{check} is empty. {refused}."),
    ) == (None, True)
    assert f"functions/settings.toml, for example {example}, and deploy again" in detail
    assert ask()["ready"] is True


def test_the_email_sandbox_is_told_with_the_way_out(account: Account) -> None:
    account.production = False
    ok, detail = found("email_sandbox")
    assert (ok, "only sends to verified addresses" in detail) == (False, True)
    assert "aws sesv2 put-account-details --production-access-enabled" in detail


def test_an_account_whose_sending_is_paused_is_told_so(account: Account) -> None:
    account.sends = False
    ok, detail = found("email_sandbox")
    assert (ok, "has paused sending" in detail) == (False, True)


# --- SMS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sms_sandbox", "sms_providers"])
def test_without_sms_nothing_is_checked_about_them(name: str, settings: Settings) -> None:
    settings.set(SMS_COUNTRIES="", AWS_ENDPOINT_URL_SNS=fakes.nobody(), SMS_PROVIDERS="twilio")
    assert found(name) == (None, "Not used: sms_countries is empty, so no SMS is sent.")
    assert ask()["ready"] is True


@pytest.mark.parametrize(
    ("provider", "fix"),
    [
        ("sns", "aws sns create-sms-sandbox-phone-number --phone-number"),
        ("end_user_messaging", "aws pinpoint-sms-voice-v2 create-verified-destination-number"),
    ],
)
def test_a_sandbox_of_any_provider_is_told_with_the_way_out(
    provider: str, fix: str, account: Account, settings: Settings
) -> None:
    settings.set(SMS_PROVIDERS="end_user_messaging,sns", END_USER_MESSAGING_ORIGINATION="arn:x")
    assert found("sms_sandbox") == (True, "AWS sends SMS to any number.")
    if provider == "sns":
        account.sns_sandbox = "true"
    else:
        account.tier = "SANDBOX"
    ok, detail = found("sms_sandbox")
    assert (ok, fix in detail) == (False, True)


def test_twilio_has_no_sandbox_of_aws(settings: Settings) -> None:
    settings.set(
        SMS_PROVIDERS="twilio", TWILIO_SECRET=twilio_secret(), AWS_ENDPOINT_URL_SNS=fakes.nobody()
    )
    assert found("sms_sandbox") == (None, "Not used: no SMS is sent through AWS.")


def twilio_secret(**changes: str) -> str:
    about = json.dumps(twilio.SECRET | changes)
    return str(admin("secretsmanager").create_secret(Name="twilio", SecretString=about)["ARN"])


def test_providers_that_are_set_up_are_named(settings: Settings) -> None:
    settings.set(SMS_PROVIDERS="twilio,sns", TWILIO_SECRET=twilio_secret())
    assert found("sms_providers") == (True, "SMS are sent through twilio, sns.")


def test_settings_that_do_not_fit_together_are_told(settings: Settings) -> None:
    settings.set(SMS_PROVIDERS="end_user_messaging")
    ok, detail = found("sms_providers")
    assert (ok, "END_USER_MESSAGING_ORIGINATION is not set" in detail) == (False, True)
    assert detail.endswith(
        "Change functions/settings.toml or the parameters of template.yaml, and deploy again."
    )


def test_a_twilio_secret_that_is_wrong_is_told_without_a_word_of_it(
    settings: Settings, log: io.StringIO
) -> None:
    settings.set(SMS_PROVIDERS="twilio", TWILIO_SECRET=twilio_secret(account_sid="hunter2"))
    ok, detail = found("sms_providers")
    assert (ok, "account_sid must be AC and 32 hex digits" in detail) == (False, True)
    assert "aws secretsmanager put-secret-value --secret-id arn:aws:" in detail
    assert "hunter2" not in detail + log.getvalue()


def test_a_twilio_secret_that_is_not_there_is_told(settings: Settings) -> None:
    settings.set(SMS_PROVIDERS="sns", TWILIO_CHANNELS="voice", TWILIO_SECRET=f"{ROLE}/none")
    ok, detail = found("sms_providers")
    assert (ok, "aws secretsmanager create-secret --name twilio" in detail) == (False, True)


def test_a_twilio_secret_that_cannot_be_read_is_null(settings: Settings) -> None:
    settings.set(SMS_PROVIDERS="twilio", TWILIO_SECRET=twilio_secret())
    with fakes.server(refuses("AccessDeniedException")) as url:
        settings.set(AWS_ENDPOINT_URL_SECRETS_MANAGER=url)
        assert found("sms_providers") == (None, "Could not be checked: AccessDeniedException.")


# --- the stack's own ------------------------------------------------------------------------------


def test_a_secret_that_is_not_there_is_told_by_its_name(settings: Settings) -> None:
    settings.set(CHECKED_SECRETS="code-keys,hook")
    ok, detail = found("secrets")
    assert (ok, detail.startswith("There is no secret hook.")) == (False, True)
    assert (
        "aws secretsmanager create-secret --name hook --secret-string … --region us-east-1"
        in detail
    )


def test_a_secret_that_is_to_be_deleted_can_be_kept(settings: Settings) -> None:
    admin("secretsmanager").delete_secret(SecretId="limit-key")
    settings.set(CHECKED_SECRETS="limit-key")
    ok, detail = found("secrets")
    assert (ok, "aws secretsmanager restore-secret --secret-id limit-key" in detail) == (
        False,
        True,
    )


def test_a_secret_without_a_value_is_told(settings: Settings) -> None:
    admin("secretsmanager").create_secret(Name="hook")
    settings.set(CHECKED_SECRETS="hook")
    ok, detail = found("secrets")
    assert (ok, "aws secretsmanager put-secret-value --secret-id hook" in detail) == (False, True)


class Scheduler:
    """EventBridge Scheduler over HTTP: notes requests, and answers deletions as told."""

    def __init__(self, *deletions: int) -> None:
        self.asked: list[tuple[str, str]] = []
        self.made: dict[str, Any] = {}
        self._deletions = iter(deletions)

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        self.asked.append((request.command, request.path.partition("?")[0]))
        if request.command == "POST":
            self.made = json.loads(body)
        status = next(self._deletions) if request.command == "DELETE" else 200
        fakes.reply(request, status, b"{}", {"content-type": "application/json"})


def test_a_schedule_is_made_paused_far_ahead_and_deleted_again(settings: Settings) -> None:
    scheduler = Scheduler(200)
    with fakes.server(scheduler.answer) as url:
        settings.set(AWS_ENDPOINT_URL_SCHEDULER=url)
        assert found("schedules") == (True, "EventBridge Scheduler accepts schedules.")
    (create, path), delete = scheduler.asked
    assert (create, delete) == ("POST", ("DELETE", path))
    assert path.startswith("/schedules/check.")
    made = scheduler.made
    assert (made["State"], made["GroupName"], made["Target"]["RoleArn"]) == (
        "DISABLED",
        "verifications",
        ROLE,
    )


def test_each_check_makes_a_schedule_of_its_own(settings: Settings) -> None:
    scheduler = Scheduler(200, 200)
    with fakes.server(scheduler.answer) as url:
        settings.set(AWS_ENDPOINT_URL_SCHEDULER=url)
        found("schedules")
        found("schedules")
    assert len({path for _, path in scheduler.asked}) == 2


def test_a_deletion_that_fails_is_tried_again(settings: Settings) -> None:
    scheduler = Scheduler(500, 200)
    with fakes.server(scheduler.answer) as url:
        settings.set(AWS_ENDPOINT_URL_SCHEDULER=url)
        assert found("schedules") == (True, "EventBridge Scheduler accepts schedules.")
    assert [method for method, _ in scheduler.asked] == ["POST", "DELETE", "DELETE"]


def test_a_schedule_that_cannot_be_deleted_is_named(settings: Settings) -> None:
    scheduler = Scheduler(500, 500)
    with fakes.server(scheduler.answer) as url:
        settings.set(AWS_ENDPOINT_URL_SCHEDULER=url)
        ok, detail = found("schedules")
    name = scheduler.asked[0][1].rpartition("/")[2]
    assert ok is True
    assert (
        f"aws scheduler delete-schedule --group-name verifications --name {name} --region us-east-1"
        in detail
    )


@pytest.mark.parametrize("code", ["ValidationException", "ResourceNotFoundException"])
def test_a_role_or_group_that_scheduler_cannot_use_is_told(code: str, settings: Settings) -> None:
    with fakes.server(refuses(code)) as url:
        settings.set(AWS_ENDPOINT_URL_SCHEDULER=url)
        assert found("schedules") == (
            False,
            f"EventBridge Scheduler cannot use {ROLE}. Deploy the stack again: make deploy",
        )


def test_a_state_machine_that_is_not_there_is_told(settings: Settings) -> None:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:none"
    settings.set(RUN_WORKFLOW=machine)
    assert found("runs") == (
        False,
        f"There is no state machine {machine}. Deploy the stack again: make deploy",
    )


def test_a_secret_whose_name_is_denied_does_not_exist(settings: Settings) -> None:
    """IAM names secrets with a random suffix, which a secret that does not exist lacks."""
    settings.set(CHECKED_SECRETS="local-webhook-twilio")
    with fakes.server(refuses("AccessDeniedException")) as url:
        settings.set(AWS_ENDPOINT_URL_SECRETS_MANAGER=url)
        ok, detail = found("secrets")
    assert (ok, "There is no secret local-webhook-twilio" in detail) == (False, True)


# --- CAPTCHA --------------------------------------------------------------------------------------


def captcha_secret(text: str) -> str:
    about = {"Name": f"captcha-{len(text)}", "SecretString": text}
    return str(admin("secretsmanager").create_secret(**about)["ARN"])


def test_without_a_captcha_nothing_is_asked(settings: Settings) -> None:
    settings.set(CAPTCHA="none", CAPTCHA_URL=fakes.nobody())
    assert found("captcha")[0] is None
    assert ask()["ready"] is True


@pytest.mark.parametrize("secret", ["", "arn:aws:secretsmanager:us-east-1:123456789012:secret:no"])
def test_a_captcha_without_its_secret_is_told_how_to_get_one(
    secret: str, settings: Settings
) -> None:
    settings.set(CAPTCHA_SECRET=secret)
    ok, detail = found("captcha")
    assert (ok, "aws secretsmanager create-secret --name captcha" in detail) == (False, True)


def test_a_secret_key_that_the_provider_does_not_know_is_told_without_a_word_of_it(
    settings: Settings,
) -> None:
    settings.set(CAPTCHA_SECRET=captcha_secret("hunter2"))
    ok, detail = found("captcha")
    assert (ok, "aws secretsmanager put-secret-value" in detail) == (False, True)
    assert "hunter2" not in detail


def test_a_provider_that_gives_no_answer_is_null(settings: Settings) -> None:
    settings.set(CAPTCHA_URL=fakes.nobody())
    ok, detail = found("captcha")
    assert (ok, detail.startswith("Could not be checked")) == (None, True)


# --- events and reports ---------------------------------------------------------------------------


def test_a_feature_that_is_switched_off_is_not_checked(settings: Settings) -> None:
    settings.unset("EVENTS_URL", "EMAIL_EVENTS_TOPIC")
    assert [found(name)[0] for name in SWITCHED_OFF] == [None, None]
    assert ask()["ready"] is True


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1:8443/events", "https://localhost/events", "http://127.0.0.1:9000/x"]
)
def test_a_url_to_which_nothing_is_delivered_is_named(url: str, settings: Settings) -> None:
    settings.set(EVENTS_URL=url, LOCAL_RECEIVERS="false")
    ok, detail = found("events_url")
    assert (ok, "Set another EventsUrl and deploy" in detail) == (False, True)


@pytest.mark.parametrize("subscriptions", [[], ["PendingConfirmation"]])
def test_reports_that_no_webhook_has_confirmed_to_take_are_not_ready(
    subscriptions: list[str], account: Account
) -> None:
    account.subscriptions = subscriptions
    ok, detail = found("email_reports")
    assert (ok, f"aws sns subscribe --topic-arn {TOPIC}" in detail, ask()["ready"]) == (
        False,
        True,
        False,
    )


def test_a_subscription_that_was_confirmed_is_enough(account: Account) -> None:
    account.subscriptions = ["PendingConfirmation", f"{TOPIC}:1"]
    assert found("email_reports") == (True, "SES's reports reach the webhook ses.")
