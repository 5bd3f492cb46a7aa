"""template.yaml as AWS's translator turns it into CloudFormation, and the state machine of runs."""

from functools import cache
from typing import Any

import yaml

from infra import sam

PARAMETERS = {"EmailFrom": "no-reply@example.com"}
MACHINE = sam.read_template()["Resources"]["RunWorkflow"]["Properties"]
DEFINITION: dict[str, Any] = yaml.safe_load((sam.ROOT / MACHINE["DefinitionUri"]).read_text())
SUBSTITUTIONS = {
    "Partition": "aws",
    "Functions": "stack-wf-",
    "RunsFunction": "runs",
    "OutcomesTable": "outcomes",
    "RunsBucket": "stack-runs",
}
"""Definition substitutions of the state machine."""


@cache
def translated() -> dict[str, Any]:
    """The translated template with default parameters."""
    return sam.translate(sam.read_template(), PARAMETERS, "s3://bucket/key")
