"""Settings: the source of each value, and the error for an invalid one."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from functions.core import config
from functions.core.config import SettingsError, read_from
from infra import sam, settings, settings_mistakes
from infra.local.errors import LocalStackError
from infra.local.wrong_settings import find_wrong_settings
from infra.samconfig import stages
from infra.settings_arguments import read_settings_arguments
from infra.settings_mistakes import mistakes

FILE = settings.FILE.read_text()
UNCHANGED = """
[messages]
#brand_color = "#334155"

[sms]
#sms_providers = ["sns"]
#twilio_channels = []

[verification]
#code_length = 6
#max_attempts = 5

[limits]
#profile = "standard"

[events]
event_types = ["*"]

[test_destinations]
#test_destinations = []

[stage.prod.messages]
app_name = "Ours"
"""
PROFILES = {"strict": {"length": 7}}


class Example(msgspec.Struct, frozen=True, kw_only=True):
    table: str
    length: Annotated[int, Meta(ge=6, le=10)] = 6
    countries: tuple[str, ...] = ()


class Sectioned(msgspec.Struct, frozen=True, kw_only=True):
    length: Annotated[int, Meta(ge=6, le=10)] = 6
    countries: tuple[str, ...] = ()
    until: str = "never"
    arn: Annotated[str, config.ENVIRONMENT] = ""


@pytest.fixture
def section(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Sectioned` is a settings type for one test."""
    monkeypatch.setattr(config, "_types", {Sectioned: config.Registered("example", PROFILES)})


def test_settings_are_read_by_name_and_converted() -> None:
    read = read_from(Example, {"TABLE": "t", "LENGTH": "8", "COUNTRIES": "DE, FR"})
    assert read == Example(table="t", length=8, countries=("DE", "FR"))


def test_an_empty_variable_is_absent() -> None:
    assert read_from(Example, {"TABLE": "t", "LENGTH": " "}) == Example(table="t")


def test_each_wrong_setting_gets_a_sentence() -> None:
    with pytest.raises(SettingsError) as caught:
        read_from(Example, {"LENGTH": "5"})
    assert str(caught.value) == "Example: TABLE is not set. LENGTH: expected int >= 6."


@pytest.mark.usefixtures("section")
@pytest.mark.parametrize(
    ("variables", "file", "length"),
    [
        ({}, {}, 6),
        ({}, {"example": {"profile": "strict"}}, 7),
        ({}, {"example": {"profile": "strict", "length": 8}}, 8),
        ({"STAGE": "prod"}, {"example": {"length": 8}}, 8),
        (
            {"STAGE": "prod"},
            {"example": {"length": 8}, "stage": {"prod": {"example": {"length": 9}}}},
            9,
        ),
        (
            {"STAGE": "dev"},
            {"example": {"length": 8}, "stage": {"prod": {"example": {"length": 9}}}},
            8,
        ),
        ({"STAGE": "prod"}, {"stage": {"prod": {"example": {"profile": "strict"}}}}, 7),
        ({"LENGTH": "10"}, {"example": {"length": 8}}, 10),
        ({"LENGTH": ""}, {"example": {"length": 8}}, 6),
        ({"EXAMPLE_PROFILE": "strict"}, {}, 7),
        ({"EXAMPLE_PROFILE": "standard"}, {"example": {"profile": "strict"}}, 6),
        ({"EXAMPLE_PROFILE": ""}, {"example": {"profile": "strict"}}, 6),
        ({}, {"example": {"profile": ""}}, 6),
    ],
    ids=str,
)
def test_a_variable_wins_over_the_stage_the_section_the_profile_and_the_default(
    variables: dict[str, str], file: config.Document, length: int
) -> None:
    assert read_from(Sectioned, variables, file).length == length


@pytest.mark.usefixtures("section")
def test_what_is_wrong_in_the_file_gets_a_sentence_at_init() -> None:
    with pytest.raises(SettingsError) as caught:
        read_from(Sectioned, {}, {"example": {"length": "8", "countries": "DE", "profile": "x"}})
    assert str(caught.value) == (
        "Sectioned: settings.toml, [example] profile: x is none of standard, strict. "
        "settings.toml, [example] length: expected int, got str. "
        "settings.toml, [example] countries: expected array, got str."
    )


@pytest.mark.usefixtures("section")
def test_an_empty_text_of_the_file_is_absent() -> None:
    assert read_from(Sectioned, {}, {"example": {"until": ""}}).until == "never"


# --- the file ----------------------------------------------------------------------------------


def test_the_file_has_no_mistakes() -> None:
    assert mistakes(FILE) == []


@pytest.mark.parametrize("variable", sorted(settings.settings()))
def test_each_setting_is_described_with_its_default(variable: str) -> None:
    about = settings.settings()[variable]
    lines = FILE.partition(f"[{about.section}]\n")[2].partition("\n[")[0].splitlines()
    ((line,)) = [each for each in lines if each.lstrip("#").startswith(f"{about.key} = ")]
    assert settings.descriptions(FILE)[about.key]
    if line.startswith("#"):  # else the deployer has changed it
        default = "" if about.default is None else about.default
        assert tomllib.loads(line[1:]) == {about.key: json.loads(msgspec.json.encode(default))}


def test_the_table_of_profiles_is_true() -> None:
    profiles: dict[str, dict[str, object]] = {"strict": {}, "high": {}}
    for section, of_type in config.registered().values():
        if section == "limits":
            for name, values in of_type.items():
                profiles[name] |= values
    limits = [each for each in settings.settings().values() if each.section == "limits"]
    numbers = [each for each in limits if each.key != "profile"]
    assert len(numbers) == 10
    for each in numbers:
        row = next(line.split() for line in FILE.splitlines() if line.startswith(f"# {each.key} "))
        told = [int(number) for number in row[2:]]
        assert told == [
            profiles["strict"].get(each.key, each.default),
            each.default,
            profiles["high"].get(each.key, each.default),
        ]


def test_stages_of_the_file_are_those_of_samconfig_and_the_local_one() -> None:
    assert set(tomllib.loads(FILE)["stage"]) <= {"local", *stages()}


@pytest.mark.parametrize(
    ("changed", "to", "sentence"),
    [
        (
            '#brand_color = "#334155"',
            'brand_color = "blue"',
            "brand_color cannot be 'blue': expected str matching regex",
        ),
        (
            '#brand_color = "#334155"',
            'brand_colour = "#334155"',
            "[messages] has no setting brand_colour. Did you mean brand_color?",
        ),
        (
            "#code_length = 6",
            "code_length = 5",
            "code_length cannot be 5: expected int >= 6. Digits of a code, 6 to 10",
        ),
        (
            "#code_length = 6",
            'code_length = "6"',
            "code_length cannot be '6': expected int, got str. Digits of a code, 6 to 10",
        ),
        (
            '#sms_providers = ["sns"]',
            'sms_providers = ["twillio"]',
            "sms_providers cannot be ['twillio']: invalid enum value 'twillio'",
        ),
        (
            '#sms_providers = ["sns"]',
            'sms_providers = ["sns", "sns"]',
            "SMS_PROVIDERS: name each provider once.",
        ),
        ("#twilio_channels = []", "link_hosts = []", "It belongs in [messages]."),
        (
            "#twilio_channels = []",
            'twilio_secret = "arn"',
            "[sms] has no setting twilio_secret. It is the parameter TwilioSecret of template.yaml",
        ),
        ('#profile = "standard"', 'profile = "stict"', "profile cannot be 'stict': invalid enum"),
        ("[events]", "[event]", "there is no section [event]. Did you mean events?"),
        (
            "#test_destinations = []",
            'test_destinations = ["ana@example.com=123456"]',
            "TEST_DESTINATIONS_UNTIL must be set with TEST_DESTINATIONS, such as 2026-12-31.",
        ),
        (
            "#test_destinations = []",
            "test_destinations_until = 2100-01-01",
            "TEST_DESTINATIONS_UNTIL may be 400 days ahead, today until ",
        ),
        (
            "[stage.prod.messages]",
            "[stage.prd.messages]",
            "no environment has the stage prd. Did you mean prod? There are dev, local, prod.",
        ),
        ("#max_attempts = 5", "max_attempts = 5 5", "Expected newline or end of document"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(
    changed: str, to: str, sentence: str
) -> None:
    assert UNCHANGED.count(f"\n{changed}\n") == 1
    text = UNCHANGED.replace(f"\n{changed}\n", f"\n{to}\n")
    line = text.splitlines().index(to) + 1
    (told,) = mistakes(text, {"dev", "prod"})
    assert told.startswith(f"functions/settings.toml:{line}: ")
    assert sentence in told


def test_every_mistake_is_told_in_the_order_of_lines() -> None:
    text = '[verification]\nmax_attempts = 0\n[messages]\nlink_hosts = 5\napp_name = ""\n'
    assert [each.split(":")[1] for each in mistakes(text)] == ["2", "4"]
    assert mistakes('app_name = "Ours"\n') == [
        "functions/settings.toml:1: app_name stands in no section. It belongs in [messages]."
    ]


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("stage = 1", 1, "stage holds sections of a stage."),
        ("[stage]\nprod = 1", 2, "stage.prod holds sections of a stage."),
        ("[[stage.prod]]\nsms = 1", 2, "stage.prod holds sections of a stage."),
        ("[stage.prod]\nsms = 1", 2, "sms is a section. Write [stage.prod.sms]"),
        ('[[sms]]\nsms_countries = ["DE"]', 2, "sms is a section. Write [sms]"),
        ('[limits]\nprofile = ["strict"]', 2, "profile cannot be ['strict']"),
        ('[messages]\n\ndefault_locale = "xx"', 3, "DEFAULT_LOCALE: xx is not one of ar, de,"),
        ('"" = 1', 1, "stands in no section."),
        ("[sms]\nsms_countries =", 2, "Invalid value (at end of document)."),
        ("\ufeff[sms]", 1, "begins with a byte order mark."),
        (f"[limits]\nsms_per_day = {'9' * 5000}", 1, "Exceeds the limit"),
    ],
)
def test_a_file_of_another_form_gets_a_sentence_too(text: str, line: int, sentence: str) -> None:
    told = mistakes(text, {"dev", "prod"})[0]
    assert told.startswith(f"functions/settings.toml:{line}: ")
    assert sentence in told


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "functions/settings.toml:1: the file is missing."),
        (b"[sms]\n# \xff\n", "functions/settings.toml:2: the file is not UTF-8."),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(
    content: bytes | None, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(settings_mistakes, "FILE", file)
    with pytest.raises(LocalStackError, match=re.escape(sentence)):
        settings_mistakes.refuse_mistakes()


def test_a_mistake_is_found_before_the_file_is_reloaded() -> None:
    name = "functions/settings.toml"
    wrong = b"[verification]\ncode_length = 5\n"
    (mistake,) = find_wrong_settings({name: wrong}, {name})
    assert (mistake.file, mistake.what[:24]) == (name, "code_length cannot be 5:")
    assert find_wrong_settings({name: wrong.replace(b"5", b"8")}, {name}) == []
    assert find_wrong_settings({name: wrong}, {"functions/core/errors.py"}) == []
    (missing,) = find_wrong_settings({}, {name})
    assert missing.what.startswith("the file is missing.")


# --- in Lambda ---------------------------------------------------------------------------------


def test_the_build_makes_json_of_it_and_no_cold_start_reads_toml(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    text = '[stage.test.messages]\napp_name = "T"'
    (tmp_path / "functions/settings.toml").write_text(text)
    settings.write_ready(tmp_path)
    ready = tmp_path / "functions/settings.json"
    assert json.loads(ready.read_text()) == {"stage": {"test": {"messages": {"app_name": "T"}}}}
    code = f"""
import sys
from pathlib import Path
from functions.core import config
from functions.core.messages.settings import MessageSettings
config.READY_FILE = Path({str(ready)!r})
print(config.read(MessageSettings).app_name, "tomllib" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=sam.ROOT,
        env={"EMAIL_FROM": "a@example.com", "STAGE": "test"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "T False\n"


# --- make run NAME=value -----------------------------------------------------------------------


def test_make_takes_parameters_and_settings() -> None:
    given = read_settings_arguments(
        ["APP_NAME=Ours", "LIMITS_PROFILE=strict", "LOG_LEVEL=DEBUG"], 1
    )
    assert given.parameters == {"LogLevel": "DEBUG"}
    assert given.variables == {"APP_NAME": "Ours", "LIMITS_PROFILE": "strict"}
    assert given.debug == ""
    assert read_settings_arguments(["DEBUG=verify_send"], 1).debug == "verify_send"


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("BRAND_COLOUR=#000000", "No such setting: BRAND_COLOUR. Did you mean BRAND_COLOR? There"),
        ("CODE_LENGTH=five", "CODE_LENGTH cannot be 'five': expected int, got str. Digits of a"),
        ("CODE_LENGTH=5", "CODE_LENGTH cannot be '5': expected int >= 6. Digits of a code"),
        ("LIMITS_PROFILE=none", "LIMITS_PROFILE cannot be 'none': invalid enum value 'none'."),
    ],
)
def test_what_make_cannot_take_is_told(word: str, sentence: str) -> None:
    with pytest.raises(LocalStackError) as told:
        read_settings_arguments([word], 1)
    assert str(told.value).startswith(sentence)
