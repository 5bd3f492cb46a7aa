"""Scopes of publishable tokens, as they are read out of handlers that are not imported."""

from pathlib import Path

import pytest

from infra.workflows import publishable_scopes


@pytest.mark.parametrize(
    ("code", "scopes"),
    [
        ("lambda_handler = workflow(ping, publishable=True)", 1),
        ("lambda_handler = wf(ping, publishable=True)", 1),
        ("lambda_handler = core.workflow(ping, publishable=True)", 1),
        ("\ufefflambda_handler = workflow(ping, publishable=True)", 1),
        ("lambda_handler = workflow(ping, publishable=False)", 0),
        ("lambda_handler = workflow(ping)  # publishable=True", 0),
        ("lambda_handler = workflow(ping, publishable=True", 0),
    ],
)
def test_a_handler_says_whether_it_is_publishable(code: str, scopes: int, tmp_path: Path) -> None:
    handler = tmp_path / "functions/workflows/ping/handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text(code)
    assert len(publishable_scopes(tmp_path)) == scopes
