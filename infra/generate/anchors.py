"""Anchors of template.yaml: what several of its resources share stands at the first of them."""

import re

_DEFINITION = re.compile(r"( *(?:- |\w+: ))&(\w+)[^\r\n]*")


def with_aliases(section: list[str]) -> list[str]:
    """The section with an alias instead of each definition, because YAML takes an anchor once."""
    made: list[str] = []
    deepest = None
    for line in section:
        indent = len(line) - len(line.lstrip(" "))
        if deepest is not None and line.strip() and indent > deepest:
            continue
        deepest = indent if _DEFINITION.match(line) else None
        made.append(_DEFINITION.sub(r"\1*\2", line, count=1) if deepest is not None else line)
    return made
