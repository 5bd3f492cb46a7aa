"""greet: says hello."""

from typing import Annotated

from msgspec import Meta

from functions.core.workflow import Parameters, Result, workflow


class Greet(Parameters):
    """The parameters of a call."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]


class GreetResult(Result):
    """The answer."""

    text: str


def greet(parameters: Greet) -> GreetResult:
    """Says hello to somebody."""
    # The function's name is the workflow's: its route, its scope, its name in the log. This
    # docstring is its description in openapi.json.
    return GreetResult(text=f"Hello, {parameters.name}")


lambda_handler = workflow(greet)
