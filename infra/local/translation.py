"""The translated template, kept for the next start: to translate it takes half a second."""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from infra import sam
from infra.local.deploy import Translate
from infra.local.kept import Kept

_BESIDES = ("infra/sam.py", "infra/run_workflow.asl.yaml")
"""Files besides the template that decide what is made of it."""


class Translation:
    """Translates as `sam.translate`, or returns what an earlier start has made of the same."""

    def __init__(self, state: Path, translate: Translate = sam.translate) -> None:
        self._kept, self._translate = Kept(state / "translated"), translate
        if not self._kept.exists:
            sam.load_translator()

    def __call__(
        self, template: dict[str, Any], parameters: dict[str, str], code_uri: str
    ) -> dict[str, Any]:
        """The CloudFormation template. Arguments and errors are those of `sam.translate`."""
        asked = [template, parameters, code_uri, version("aws-sam-translator")]
        made_of = [*_besides(), json.dumps(asked).encode()]
        if found := self._kept.find(made_of):
            return dict(json.loads(found))
        translated = self._translate(template, parameters, code_uri)
        self._kept.keep(made_of, json.dumps(translated).encode())
        return translated


def _besides() -> Iterator[bytes]:
    for path in _BESIDES:
        try:
            yield (sam.ROOT / path).read_bytes()
        except OSError:  # told by the translation, which reads it too
            yield b""
