"""`make webhook-secret`, which keeps the previous secret beside the new one."""

import io
from pathlib import Path
from typing import Any

import pytest

from functions.api.webhooks.declared.source import Source
from functions.core import config
from functions.core.signing.keys import read_keys
from infra import stack_target, webhooks
from tests.workflows.conftest import admin

pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the command use this account instead of selecting a stack."""
    monkeypatch.setattr(stack_target, "select_stack", lambda *_: None)
    monkeypatch.setenv("WEBHOOK_SECRETS", "local-webhook-")


def run(source: str, typed: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["webhooks", source])
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return webhooks.main()


def stored(name: str) -> Any:
    return read_keys(
        admin("secretsmanager").get_secret_value(SecretId=f"local-webhook-{name}")["SecretString"]
    )


def test_two_secrets_at_once_let_both_sides_change_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for typed, kept in [
        ("one\n", ("one",)),
        ("two", ("two", "one")),
        ("two", ("two", "one")),
        ("three", ("three", "two")),
    ]:
        assert run("usersnap", typed, monkeypatch) == 0
        assert stored("usersnap") == kept


@pytest.mark.parametrize(
    ("source", "typed", "sentence"),
    [
        (
            "nobody",
            "x",
            "'nobody' is no source with a secret in sources.toml. There are: twilio, usersnap.",
        ),
        ("ses", "x", "'ses' is no source with a secret"),
        ("usersnap", " \n", "The secret is empty"),
    ],
)
def test_an_unknown_source_or_an_empty_secret_is_reported_and_nothing_is_set(
    source: str,
    typed: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(source, typed, monkeypatch) == 1
    assert sentence in capsys.readouterr().err
    names = {each["Name"] for each in admin("secretsmanager").list_secrets()["SecretList"]}
    assert not [name for name in names if name.startswith("local-webhook-")]


def test_a_secret_that_is_given_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("usersnap", "the-secret", monkeypatch)
    assert "the-secret" not in capsys.readouterr().out


def test_a_new_secret_of_standard_webhooks_is_made_and_shown_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Source(scheme="standard", secret="shop", workflow="verify_delete", parameters="payload")
    monkeypatch.setattr("functions.api.webhooks.sources.sources", lambda: {"shop": shop})
    assert run("shop", "", monkeypatch) == 0
    (key,) = stored("shop")
    assert key.startswith("whsec_")
    assert key in capsys.readouterr().out


def test_a_source_whose_section_has_a_mistake_is_told_that_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = (
        '[github]\nscheme = "github"\nsecret = "g"\nworkflow = "verify_delete"\nparameters = "{"\n'
    )
    file = tmp_path / "sources.toml"
    file.write_text(text)
    with monkeypatch.context() as patch:
        patch.setattr("functions.api.webhooks.sources.SOURCES", file)
        config.reset(everything=True)
        assert run("github", "x", monkeypatch) == 1
    config.reset(everything=True)
    said = capsys.readouterr().err
    assert "sources.toml:5: [github] parameters is not a JMESPath expression" in said
    assert "no source with a secret" not in said
