"""samconfig.toml as operators' commands and the build read it, and its errors before a build."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from infra import sam
from infra.samconfig import Environment, read_environment, refuse_wrong_parameters

SECTIONS = tomllib.loads((sam.ROOT / "samconfig.toml").read_text())
DEPLOYED = [
    name for name, about in SECTIONS.items() if isinstance(about, dict) and "deploy" in about
]
PARAMETERS = sam.read_template()["Parameters"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "samconfig.toml"


def written(file: Path, overrides: str, command: str = "deploy") -> Environment:
    file.write_text(
        f'[dev.global.parameters]\nstack_name = "ours"\n'
        f"[dev.{command}.parameters]\nparameter_overrides = {overrides}"
    )
    return read_environment("dev", file)


@pytest.mark.parametrize(
    "overrides",
    [
        """["AppName='Our app (dev)'", "EmailFrom=a@example.com", "AllowedOrigins=https://a.example,https://b.example"]""",
        """'AppName="Our app (dev)" EmailFrom=a@example.com AllowedOrigins=https://a.example,https://b.example'""",
        (
            """{AppName = "Our app (dev)", EmailFrom = "a@example.com", """
            """AllowedOrigins = ["https://a.example", "https://b.example"]}"""
        ),
    ],
)
def test_parameters_are_read_in_every_form_that_the_sam_cli_takes(
    overrides: str, file: Path
) -> None:
    assert written(file, overrides).parameters == {
        "AppName": "Our app (dev)",
        "EmailFrom": "a@example.com",
        "AllowedOrigins": "https://a.example,https://b.example",
    }


def test_an_environment_that_is_only_built_has_its_parameters_there(file: Path) -> None:
    assert written(file, '["EmailFrom=a@example.com"]', "build").parameters == {
        "EmailFrom": "a@example.com"
    }


def test_a_commands_own_options_win_over_those_of_all_commands(file: Path) -> None:
    common = (
        '[dev.global.parameters]\nstack_name = "ours"\nregion = "eu-west-1"\nprofile = "work"\n'
    )
    file.write_text(common + '[dev.deploy.parameters]\nregion = "eu-central-1"')
    assert read_environment("dev", file) == Environment("dev", "ours", "eu-central-1", "work", {})


def test_an_environment_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(
        ValueError,
        match=rf"^samconfig\.toml has no environment 'nowhere'\. It has: {', '.join(DEPLOYED)}\.$",
    ):
        read_environment("nowhere")


@pytest.mark.parametrize(
    "text", ["[dev", "version = 0.1\n[dev.deploy.parameters]\nresolve_s3 = true"]
)
def test_a_file_that_says_no_stack_is_told_and_not_guessed(text: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(ValueError, match=r"^samconfig\.toml "):
        read_environment("dev", file)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"AllowedOrigin": "https://app.example.com"},
            "template.yaml has no parameter AllowedOrigin. Did you mean AllowedOrigins?",
        ),
        (
            {"LinkHosts": "app.example.com"},
            "template.yaml has no parameter LinkHosts. Set link_hosts in functions/settings.toml",
        ),
        ({"Blue": "red"}, "template.yaml has no parameter Blue."),
        ({"LogRetentionDays": "8"}, "LogRetentionDays cannot be '8'. How long logs are kept."),
        (
            {"ThrottleRate": "five"},
            "ThrottleRate must be a whole number from 1 to inf, not 'five'.",
        ),
        ({"EmailFrom": "nobody"}, "EmailFrom cannot be 'nobody'. Address that emails come from."),
    ],
)
def test_a_wrong_parameter_is_told_by_its_name(given: dict[str, str], sentence: str) -> None:
    """The SAM CLI ignores a parameter that the template does not have."""
    environment = Environment("dev", "ours", None, None, {"EmailFrom": "a@example.com"} | given)
    with pytest.raises(
        ValueError, match=f"^{re.escape(f'samconfig.toml, environment dev: {sentence}')}"
    ):
        refuse_wrong_parameters(environment, PARAMETERS)


def test_a_parameter_that_must_be_set_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"environment dev: EmailFrom must be set\.$"):
        refuse_wrong_parameters(Environment("dev", "ours", None, None, {}), PARAMETERS)


@pytest.mark.parametrize("overrides", ['["AppName=Ana\'s app"]', '["AppName"]'])
def test_what_cannot_be_read_is_told(overrides: str, file: Path) -> None:
    with pytest.raises(ValueError, match="environment dev: parameter_overrides"):
        written(file, overrides)


@pytest.mark.parametrize("name", ["default", *DEPLOYED])
def test_our_own_environments_can_be_built_and_deployed(name: str) -> None:
    refuse_wrong_parameters(read_environment(name), PARAMETERS)


@pytest.mark.parametrize("target", ["deploy", "delete"])
@pytest.mark.parametrize("env", [[], ["ENV=nowhere"], ["ENV=default"], ["ENV=dev prod"]])
def test_make_says_which_environments_there_are_before_it_does_anything(
    target: str, env: list[str], tmp_path: Path
) -> None:
    for name in ("Makefile", "samconfig.toml"):
        (tmp_path / name).write_bytes((sam.ROOT / name).read_bytes())
    done = subprocess.run(
        ["make", target, *env], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Say which one: make {target} ENV=<{'|'.join(DEPLOYED)}>" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "samconfig.toml"]
