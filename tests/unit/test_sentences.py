"""Missing sentences of locales, as `make run` and `make build` tell them."""

import json

import pytest

from infra import build, sam
from infra.local.mistake import Mistake
from infra.local.sentences import FOLDER, concerns_sentences, find_missing_sentences
from infra.samconfig import read_environment

EVERY = {
    path.relative_to(sam.ROOT).as_posix(): path.read_bytes()
    for path in (sam.ROOT / FOLDER).glob("*.json")
}
ENGLISH, GERMAN = f"{FOLDER}en.json", f"{FOLDER}de.json"
EXPORT = {
    f"verification.{part}.export_data": "{code} {app_name}"
    for part in ("subject", "intro", "sms_code")
}


def changed(path: str, **sentences: str | None) -> dict[str, bytes]:
    """All locales, one of them with some sentences set, or left out where they are None."""
    locale = json.loads(EVERY[path])
    merged = locale["sentences"] | {key.replace("__", "."): text for key, text in sentences.items()}
    locale["sentences"] = {key: text for key, text in merged.items() if text is not None}
    return EVERY | {path: json.dumps(locale).encode()}


def test_no_sentence_is_missing() -> None:
    assert find_missing_sentences(EVERY) == []


@pytest.mark.parametrize("text", [None, ""])
def test_a_sentence_that_one_locale_lacks_is_named_with_its_file(text: str | None) -> None:
    assert find_missing_sentences(changed(GERMAN, verification__subject__sign_in=text)) == [
        Mistake("the sentence verification.subject.sign_in is missing", GERMAN)
    ]


def test_a_new_purpose_needs_its_sentences_in_every_locale() -> None:
    found = find_missing_sentences(
        changed(ENGLISH, **{key.replace(".", "__"): text for key, text in EXPORT.items()})
    )
    assert {each.file for each in found} == EVERY.keys() - {ENGLISH}
    assert {each.what for each in found} == {f"the sentence {key} is missing" for key in EXPORT}


def test_a_purpose_needs_all_its_sentences() -> None:
    every: dict[str, bytes] = {}
    for path in EVERY:
        every |= {path: changed(path, verification__unexpected__export_data="…")[path]}
    told = {f"{each.file}: {each.what}" for each in find_missing_sentences(every)}
    assert told == {f"{path}: the sentence {key} is missing" for path in EVERY for key in EXPORT}


def test_the_name_of_a_purpose_is_one_of_a_parameter() -> None:
    found = find_missing_sentences(changed(GERMAN, **{"verification.intro.Export Data": "x"}))
    told = "the purpose Export Data must be 1 to 64 of a-z, 0-9 and _, a letter first"
    assert Mistake(told, GERMAN) in found


def test_plurals_are_a_languages_own() -> None:
    assert find_missing_sentences(changed(ENGLISH, minutes__2="two minutes")) == []


def test_only_a_changed_locale_is_looked_at() -> None:
    assert concerns_sentences({ENGLISH})
    assert not concerns_sentences({"functions/settings.toml", f"{FOLDER}notes.txt"})


def test_a_build_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = changed(GERMAN, verification__intro=None)
    monkeypatch.setattr(build, "read_sources", lambda: lacking)
    with pytest.raises(build.BuildFailed, match=r"de\.json: the sentence verification\.intro is"):
        build._build(read_environment("dev"))
