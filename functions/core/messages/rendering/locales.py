"""Locales: one file each in locales/, named by its BCP 47 tag, with its sentences.

Another locale is another file. A sentence has `{placeholders}`. A key with a suffix is a variant of
the key without it (`verification.subject.sign_in`, `minutes.1`), used if it exists.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from functions.core import config
from functions.core.config import SettingsError
from functions.core.messages.settings import MessageSettings

FOLDER = Path(__file__).parents[1] / "locales"

LocaleHint = str | list[str]
"""Languages of a reader, as browsers and systems name them. A hint never fails a call.

`pt-BR`, `de_DE.UTF-8`, `deu`, an Accept-Language list, or the list `navigator.languages`.
"""

_MOST_TAGS = 20
"""Most tags of a hint that are read."""

_LONGEST_HINT = 1_000
"""Most characters of a hint that are read."""

_WELL_FORMED = re.compile(r"[a-z]{1,8}([-_][a-z0-9]{1,8})*", re.IGNORECASE)
"""RFC 5646 §2.1 as far as a lookup needs it, with the underscores of operating systems."""

_WEIGHT = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)
"""Weight of a language in an Accept-Language list (RFC 9110 §12.4.2)."""

_ISO_639_2_LENGTH = 3

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Locale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Language as it is written in one region or in all."""

    sentences: dict[str, str]
    tag: str = ""
    """BCP 47 tag, HTML's `lang`."""
    dir: Literal["ltr", "rtl"] = "ltr"
    """Direction of writing, HTML's `dir`."""
    sentence_space: str = " "
    """Text between two sentences."""
    iso_639_2: tuple[str, ...] = ()
    """Codes of the language with three letters."""

    def sentence(self, key: str, variant: object = None) -> str:
        """Returns a variant of a sentence, or the sentence itself if there is no such variant.

        Raises `KeyError` for an unknown key.
        """
        return self.sentences.get(f"{key}.{variant}") or self.sentences[key]

    def format_date(self, day: date) -> str:
        """Writes a date for a text, with the month's name."""
        parts = {
            "day": str(day.day),
            "month": self.sentence("month", day.month),
            "year": str(day.year),
        }
        return fill(self.sentence("date", day.day), parts.__getitem__)


def find_locale(hint: LocaleHint | None, among: Iterable[str] = ()) -> Locale:
    """Finds the best locale for a reader; without a known language, the default locale.

    `pt-BR-x` finds pt-BR, then pt (RFC 4647 §3.4, lookup), then the regional locale of pt if there
    is only one.

    Args:
        hint: the reader's languages.
        among: tags of the allowed locales; without tags, all. If the default locale is not allowed,
            the first one replaces it.

    Raises:
        SettingsError: when there is no locale for the setting `default_locale`.
    """
    served = {tag.lower(): tag for tag in among} or tags()
    default = default_of(config.read(MessageSettings).default_locale)
    found = next(filter(None, (_match(tag, served) for tag in _tags_of(hint))), None)
    return _read(found or _match(default, served) or next(iter(served.values())))


def fill(sentence: str, value_of: Callable[[str], str]) -> str:
    """Replaces a sentence's placeholders by values; unlike `str.format`, it reads no attributes."""
    return _PLACEHOLDER.sub(lambda found: value_of(found[1]), sentence)


def sentence_keys() -> Iterable[str]:
    """Keys of sentences. All locales have the same ones (infra/local/sentences.py)."""
    return _read(min(tags().values())).sentences


@config.cached(lasting=True)
def tags() -> dict[str, str]:
    """Tags of all locales, by tag in lower case."""
    return {path.stem.lower(): path.stem for path in FOLDER.glob("*.json")}


def _tags_of(hint: LocaleHint | None) -> list[str]:
    """Tags of a hint, the preferred one first; those with weight 0 are left out."""
    text = ",".join(hint[:_MOST_TAGS]) if isinstance(hint, list) else hint or ""
    weighed = []
    for each in text[:_LONGEST_HINT].split(",")[:_MOST_TAGS]:
        tag, _, parameters = each.partition(";")
        found = _WEIGHT.search(parameters)
        weighed.append((float(found[1]) if found else 1.0, re.split(r"[.@]", tag.strip())[0]))
    return [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]


def _match(tag: str, served: dict[str, str]) -> str | None:
    if not _WELL_FORMED.fullmatch(tag):
        return None
    subtags = tag.lower().replace("_", "-").split("-")
    if len(subtags[0]) == _ISO_639_2_LENGTH:
        subtags[0] = _languages().get(subtags[0], subtags[0])
    candidates = ("-".join(subtags[:count]) for count in range(len(subtags), 0, -1))
    found = (served[candidate] for candidate in candidates if candidate in served)
    return next(found, None) or _only_regional(subtags[0], served)


@config.cached(lasting=True)
def _languages() -> dict[str, str]:
    """Languages of the locales by their codes of three letters."""
    return {code: tag.partition("-")[0] for tag in tags() for code in _read(tags()[tag]).iso_639_2}


def _only_regional(language: str, served: dict[str, str]) -> str | None:
    found = [tag for lower, tag in served.items() if lower.startswith(f"{language}-")]
    return found[0] if len(found) == 1 else None


def default_of(tag: str) -> str:
    """Locale of the setting `default_locale`. Raises `SettingsError` where there is none."""
    if found := _match(tag, tags()):
        return found
    raise SettingsError(
        f"DEFAULT_LOCALE: {tag} is not one of {', '.join(sorted(tags().values()))}."
    )


@config.cached(lasting=True)
def _read(tag: str) -> Locale:
    locale = msgspec.json.decode((FOLDER / f"{tag}.json").read_bytes(), type=Locale)
    return msgspec.structs.replace(locale, tag=tag)
