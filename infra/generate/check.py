"""Makes sure that a workflow that was just written works: template.yaml, and a green test."""

import subprocess
import sys
from pathlib import Path

from infra.generate.errors import Refused
from infra.generate.new_test import NewTest
from infra.generate.plan import Plan
from infra.generate.refusals import translated

_PROGRAMS = Path(sys.executable).parent


def works(project: Path, planned: Plan) -> NewTest:
    """Writes the first of its tests that is green, and returns it.

    Raises:
        Refused: when the template is not right or no test is green; with what the tools said.
    """
    translated(project)
    with _start(
        project, str(_PROGRAMS / "cfn-lint"), "template.yaml"
    ) as lint:  # meanwhile, because it takes seconds
        test = _green_test(project, planned)
        found, _ = lint.communicate()
    if lint.returncode:
        raise Refused(
            f"template.yaml with {planned.renaming.new} is not right, so nothing was changed:\n{found}"
        )
    return test


def _green_test(project: Path, planned: Plan) -> NewTest:
    said = ""
    for test in planned.tests:
        planned.place.test.write_text(test.text)
        _format(project, planned)
        with _start(project, sys.executable, "-m", "pytest", str(planned.place.test)) as running:
            said, _ = running.communicate()
        if running.returncode == 0:
            return test
    name = planned.renaming.new
    raise Refused(
        f"{name} would not be green (is {planned.renaming.old}?), so nothing was changed:\n{said}"
    )


def _format(project: Path, planned: Plan) -> None:
    """Another name has another length and another place among the imports."""
    ruff, paths = str(_PROGRAMS / "ruff"), [str(planned.place.folder), str(planned.place.test)]
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        with _start(project, ruff, *command, *paths) as running:
            said, _ = running.communicate()
        if running.returncode:
            raise Refused(
                f"{planned.renaming.new} could not be formatted, so nothing was changed:\n{said}"
            )


def _start(project: Path, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own commands
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
