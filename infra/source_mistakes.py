"""Mistakes in sources.toml of webhooks, each with its section and line.

`python -m infra.source_mistakes -` reads the file from standard input, prints a sentence for each
and exits with 1 if there are any.
"""

import sys

from functions.api.webhooks.sources import SOURCES, check_sources, no_workflow
from infra.sam import ROOT
from infra.workflows import background_workflows, workflows

PLACE = SOURCES.relative_to(ROOT).as_posix()


def main() -> int:
    """1 with a sentence for each mistake in the file, or with `-` in the text on standard input."""
    text = sys.stdin.read() if sys.argv[1:] == ["-"] else SOURCES.read_text("utf-8")
    found = mistakes(text)
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


def mistakes_in_file() -> list[str]:
    """A sentence for each mistake in the file as it is now."""
    try:
        return mistakes(SOURCES.read_text("utf-8"))
    except (FileNotFoundError, UnicodeDecodeError) as error:
        return [f"{PLACE}:1: {error}."]


def mistakes(text: str) -> list[str]:
    """A sentence for each mistake in a text of the file, with its line, in the order of lines."""
    known, background = set(workflows()), background_workflows()

    def allowed(workflow: str) -> str:
        if workflow not in known:
            return no_workflow(workflow)
        if workflow not in background:
            return f"{workflow} cannot run in the background, so no webhook can start it"
        return ""

    found = check_sources(text, allowed).mistakes
    return [f"{PLACE}:{each.line}: {each.sentence}" for each in found]


if __name__ == "__main__":
    sys.exit(main())
