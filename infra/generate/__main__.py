"""`make workflow NAME=greet FROM=blank`: a new workflow, empty or as a copy of one that there is."""

import argparse
import json
import sys
from pathlib import Path

from infra import sam
from infra.generate.check import works
from infra.generate.errors import Refused
from infra.generate.new_test import NewTest
from infra.generate.plan import BLANK, Plan, plan
from infra.generate.write import write
from infra.local import development
from infra.local.errors import LocalStackError
from infra.local.state import default_state, read_running

_DEFAULT_URL = "http://127.0.0.1:8787"
"""Where `make run` serves unless it is told otherwise."""


def main() -> int:
    """Makes the workflow; 1 with a sentence when it cannot."""
    arguments = _arguments()
    try:
        planned = plan(sam.ROOT, arguments.name, arguments.source)
        print("writing it, checking template.yaml, running its test", flush=True)
        test = write(sam.ROOT, planned, works)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}. Nothing was changed.", file=sys.stderr)
        return 1
    print(_made(planned, test))
    print(_next(planned))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.generate", description=__doc__)
    parser.add_argument("--name", default="", help="of the new workflow")
    parser.add_argument("--from", default="", dest="source", help="the workflow to copy, or blank")
    return parser.parse_args()


def _made(planned: Plan, test: NewTest) -> str:
    place, (old, new, _) = planned.place, planned.renaming
    lines = [
        f"\n{new}, a blank workflow:" if old == BLANK else f"\n{new}, a copy of {old}:",
        f"  {_shown(place.folder)}/",
        f"  {_shown(place.event)}",
        f"  {_shown(place.test)}: {test.about}; green",
        f"  template.yaml: {', '.join(planned.added)}",
    ]
    if planned.left_alone:
        lines.append(
            f"Left alone in template.yaml, though it names {old}: {', '.join(planned.left_alone)}."
        )
    if planned.to_review:
        lines.append(
            f"Copied with the rights of {old}. Review in template.yaml whether {new} needs them:"
        )
        lines += [f"  {right}" for right in planned.to_review]
    return "\n".join(lines)


def _next(planned: Plan) -> str:
    place, name = planned.place, planned.renaming.new
    url = _local_url(default_state())
    parameters = json.dumps(json.loads(planned.event)["parameters"], ensure_ascii=False).replace(
        "'", "'\\''"
    )
    return f"""
Next:
  edit {_shown(place.folder)}/handler.py and {_shown(place.event)}
  make test ARGS={_shown(place.test)}
  make run   (if it is up, it has deployed the workflow, and reloads what you edit)
  curl -s {url}/workflows/{name} -H 'authorization: Bearer {development.SECRET}' \\
    -H 'content-type: application/json' -d '{parameters}'"""


def _local_url(state: Path) -> str:
    """URL of the local stack, or its usual one before it is up."""
    try:
        return read_running(state).url
    except LocalStackError:
        return _DEFAULT_URL


def _shown(path: Path) -> str:
    return path.relative_to(sam.ROOT).as_posix()


if __name__ == "__main__":
    sys.exit(main())
