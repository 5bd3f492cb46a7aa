"""Checks a new workflow: template.yaml must be valid, a test green, and openapi.json made."""

import subprocess
import sys
from pathlib import Path

from infra import sam
from infra.generate.errors import Refused
from infra.generate.new_test import NewTest
from infra.generate.plan import Plan
from infra.generate.refusals import translated
from infra.openapi.files import COMMITTED

_PROGRAMS = Path(sys.executable).parent


def works(project: Path, planned: Plan) -> NewTest:
    """Writes the first of the planned tests that is green; returns it.

    Raises:
        Refused: when the template is invalid or no test is green; with the tools' output.
    """
    translated(project)
    # Beside the test, because it takes seconds.
    with _start(project, str(_PROGRAMS / "cfn-lint"), "template.yaml") as lint:
        test = _green_test(project, planned)
        output, _ = lint.communicate()
    if lint.returncode:
        raise Refused(
            f"template.yaml with {planned.renaming.new} is invalid, "
            f"so nothing was changed:\n{output}"
        )
    _describe(project, planned)
    return test


def _describe(project: Path, planned: Plan) -> None:
    """Writes docs/reference/openapi.json anew, if the project keeps it."""
    if not (project / COMMITTED.relative_to(sam.ROOT)).exists():
        return
    with _start(project, sys.executable, "-m", "infra.openapi") as running:
        output, _ = running.communicate()
    if running.returncode:
        raise Refused(
            f"{planned.renaming.new} cannot be described in openapi.json, "
            f"so nothing was changed:\n{output}"
        )


def _green_test(project: Path, planned: Plan) -> NewTest:
    output = ""
    for test in planned.tests:
        planned.place.test.write_text(test.text)
        _format(project, planned)
        with _start(project, sys.executable, "-m", "pytest", str(planned.place.test)) as running:
            output, _ = running.communicate()
        if running.returncode == 0:
            return test
    name = planned.renaming.new
    raise Refused(
        f"The test of {name} fails (does that of {planned.renaming.old} pass?), "
        f"so nothing was changed:\n{output}"
    )


def _format(project: Path, planned: Plan) -> None:
    """Formats code and test, as another name has another length and place among imports."""
    ruff, paths = str(_PROGRAMS / "ruff"), [str(planned.place.folder), str(planned.place.test)]
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        with _start(project, ruff, *command, *paths) as running:
            output, _ = running.communicate()
        if running.returncode:
            raise Refused(
                f"{planned.renaming.new} could not be formatted, so nothing was changed:\n{output}"
            )


def _start(project: Path, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own commands
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
