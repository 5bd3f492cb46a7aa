"""Sentences that one locale of messages has and another one lacks."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from infra.local.mistake import Mistake

FOLDER = "functions/core/messages/locales/"

_OWN = re.compile(r"(minutes|date)\.\d+")
"""Variants that only some languages have, such as the singular `minutes.1`."""

_OF_PURPOSE = re.compile(r"verification\.(?:subject|intro|unexpected|sms_code)\.(.+)")
_NEEDED = ("subject", "intro", "sms_code")
"""Sentences that a purpose needs: of emails, of emails and calls, of SMS."""

_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,63}")


def find_missing_sentences(sources: Mapping[str, bytes]) -> list[Mistake]:
    """A mistake for each sentence that a locale lacks, and for each purpose with a wrong name.

    Args:
        sources: JSON files by their paths in the project, without mistakes of syntax.
    """
    found = {path: _sentences(sources[path]) for path in sorted(sources) if _is_locale(path)}
    every = {key for sentences in found.values() for key in sentences if not _OWN.fullmatch(key)}
    purposes = {match[1] for key in every if (match := _OF_PURPOSE.fullmatch(key))}
    needed = every | {f"verification.{part}.{purpose}" for purpose in purposes for part in _NEEDED}
    wrong = [
        Mistake(f"the purpose {each} must be 1 to 64 of a-z, 0-9 and _, a letter first", path)
        for each in sorted(purposes)
        if not _PURPOSE.fullmatch(each)
        for path in _with(found, f".{each}")
    ]
    return wrong + [
        Mistake(f"the sentence {key} is missing", path)
        for path, sentences in found.items()
        for key in sorted(needed - sentences)
    ]


def concerns_sentences(changed: Collection[str]) -> bool:
    """Whether a changed file is a locale."""
    return any(map(_is_locale, changed))


def _is_locale(path: str) -> bool:
    return path.startswith(FOLDER) and PurePosixPath(path).suffix == ".json"


def _with(found: Mapping[str, Collection[str]], ending: str) -> Iterator[str]:
    return (path for path, keys in found.items() if any(key.endswith(ending) for key in keys))


def _sentences(content: bytes) -> set[str]:
    """Keys of a locale's sentences that are not empty."""
    sentences = json.loads(content).get("sentences", {})
    return {key for key, sentence in sentences.items() if sentence}
