"""`make workflow NAME=greet FROM=blank`: creates a workflow, blank or as a copy of another."""

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
from infra.openapi.files import COMMITTED
from infra.workflows import workflows

_DEFAULT_URL = "http://127.0.0.1:8787"
"""Default address of `make run`."""


def main() -> int:
    """Creates the workflow; 1 with a sentence if it cannot."""
    arguments = _arguments()
    if not (arguments.name and arguments.source):
        print(_usage(), file=sys.stderr)
        return 1
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
    parser.add_argument("--name", default="", help="name of the new workflow")
    parser.add_argument("--from", default="", dest="source", help="the workflow to copy, or blank")
    return parser.parse_args()


def _usage() -> str:
    return (
        "error: Set NAME and FROM: make workflow NAME=send_receipt FROM=blank\n"
        "  NAME  of the new workflow, lower-case words joined by _\n"
        f"  FROM  {BLANK}, or the workflow to copy: {', '.join(workflows())}"
    )


def _made(planned: Plan, test: NewTest) -> str:
    place, (old, new, _) = planned.place, planned.renaming
    lines = [
        f"\n{new}, a blank workflow:" if old == BLANK else f"\n{new}, a copy of {old}:",
        f"  {_shown(place.folder)}/",
        f"  {_shown(place.event)}",
        f"  {_shown(place.test)}: {test.about}; green",
        f"  template.yaml: {', '.join(planned.added)}",
        f"  {_shown(COMMITTED)}, which describes it",
    ]
    if planned.left_alone:
        lines.append(
            f"Unchanged in template.yaml, though they name {old}: {', '.join(planned.left_alone)}."
        )
    if planned.to_review:
        lines.append(f"Copied rights of {old}. Check in template.yaml which of them {new} needs:")
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
  make run   (if it is up, it has deployed the workflow and reloads your edits)
  curl -s {url}/workflows/{name} -H 'authorization: Bearer {development.SECRET}' \\
    -H 'content-type: application/json' -d '{parameters}'"""


def _local_url(state: Path) -> str:
    """URL of the running local stack, or the default one."""
    try:
        return read_running(state).url
    except LocalStackError:
        return _DEFAULT_URL


def _shown(path: Path) -> str:
    return path.relative_to(sam.ROOT).as_posix()


if __name__ == "__main__":
    sys.exit(main())
