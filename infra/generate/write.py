"""Writes a planned workflow, and undoes everything unless it works."""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from infra import sam
from infra.generate.new_test import NewTest
from infra.generate.plan import Plan
from infra.openapi.files import COMMITTED

Check = Callable[[Path, Plan], NewTest]


def write(project: Path, planned: Plan, check: Check) -> NewTest:
    """Writes the workflow; returns its test. A failure leaves nothing behind.

    Args:
        project: the folder with template.yaml.
        planned: the workflow.
        check: writes the test, and raises unless everything works.
    """
    place, template = planned.place, project / "template.yaml"
    document = project / COMMITTED.relative_to(sam.ROOT)
    backup = template.with_name("template.yaml.before")
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, place.folder, ignore_errors=True)
        for path, content in planned.code.items():
            (place.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (place.folder / path).write_bytes(content)
        undo.callback(place.event.unlink, missing_ok=True)
        place.event.write_bytes(planned.event.encode())
        undo.callback(place.test.unlink, missing_ok=True)
        undo.callback(backup.unlink, missing_ok=True)
        shutil.copy2(template, backup)
        undo.callback(os.replace, backup, template)  # possible even on a full disk
        template.write_bytes(planned.template.encode())
        if document.exists():
            undo.callback(document.write_bytes, document.read_bytes())
        test = check(project, planned)
        undo.pop_all()
    backup.unlink()
    return test
