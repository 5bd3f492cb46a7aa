"""cfn-lint over template.yaml, its translation by AWS's translator, and the state machine."""

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from infra import sam
from infra.alias import with_alias
from tests.builders.template import DEFINITION, SUBSTITUTIONS, translated


def lint(path: Path, *options: str) -> str:
    """cfn-lint's complaints; empty if there are none."""
    command = [str(Path(sys.executable).parent / "cfn-lint"), *options, "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


def test_cfn_lint_finds_nothing_in_the_template() -> None:
    assert lint(sam.TEMPLATE) == ""


def test_cfn_lint_finds_nothing_in_the_template_with_the_alias(tmp_path: Path) -> None:
    """Then also not what it is told to ignore without it."""
    template = with_alias(sam.read_template())
    assert template["Metadata"].pop("cfn-lint") == {"config": {"ignore_checks": ["W2530"]}}
    path = tmp_path / "template.yaml"
    path.write_text(sam.dump(template))
    assert lint(path) == ""


def test_cfn_lint_finds_nothing_in_what_the_translator_makes(tmp_path: Path) -> None:
    """W2001 (unused parameter) is ignored: the translator has inlined some parameters.

    So is W2530, because the translator drops that template.yaml ignores it.
    """
    path = tmp_path / "translated.json"
    path.write_text(json.dumps(translated()))
    assert lint(path, "--ignore-checks", "W2001", "W2530") == ""


def test_cfn_lint_finds_nothing_in_the_machine(tmp_path: Path) -> None:
    assert lint(machine(DEFINITION, tmp_path)) == ""


def test_cfn_lint_looks_into_the_machine(tmp_path: Path) -> None:
    broken = deepcopy(DEFINITION)
    broken["States"]["Many"]["ItemProcessor"]["States"]["RunOneOfMany"]["Retires"] = []
    assert "Retires" in lint(machine(broken, tmp_path))


def machine(definition: dict[str, Any], folder: Path) -> Path:
    """Template with the state machine's definition as an object, because cfn-lint skips texts."""
    text = json.dumps(definition)
    for name, value in SUBSTITUTIONS.items():
        text = text.replace(f"${{{name}}}", value)
    properties = {"Definition": json.loads(text), "RoleArn": "arn:aws:iam::123456789012:role/runs"}
    path = folder / "machine.json"
    path.write_text(
        json.dumps(
            {
                "Resources": {
                    "RunWorkflow": {
                        "Type": "AWS::StepFunctions::StateMachine",
                        "Properties": properties,
                    }
                }
            }
        )
    )
    return path
