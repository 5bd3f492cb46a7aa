"""Routes of template.yaml, and the functions that answer them."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from infra import sam


class TemplateRoute(NamedTuple):
    """A route with the module of its function."""

    method: str
    path: str
    module: str
    """Name of the handler's module."""
    public: bool
    """Whether it is called without a token."""
    about: str
    """Description of the function; of a workflow it begins with its group."""

    @property
    def key(self) -> str:
        """API Gateway's name of the route."""
        return f"{self.method} {self.path}"

    @property
    def workflow(self) -> str | None:
        """Name of the workflow that answers; null for a function of the platform."""
        package, _, name = self.module.removesuffix(".handler").rpartition(".")
        return name if package == "functions.workflows" else None

    def imported(self) -> ModuleType:
        """The handler's module."""
        return import_module(self.module)


def template_routes(template: Path = sam.TEMPLATE) -> list[TemplateRoute]:
    """All routes, in the order of the template."""
    resources = sam.read_template(template)["Resources"]
    return [route for each in resources.values() for route in _routes(each)]


def _routes(resource: dict[str, object]) -> Iterator[TemplateRoute]:
    if resource["Type"] != "AWS::Serverless::Function":
        return
    about = resource["Properties"]
    assert isinstance(about, dict)  # noqa: S101 - narrows the type
    for event in (about.get("Events") or {}).values():
        if event["Type"] == "HttpApi":
            route = event["Properties"]
            yield TemplateRoute(
                route["Method"],
                route["Path"],
                about["Handler"].rpartition(".")[0],
                "Auth" not in route,
                about.get("Description", ""),
            )
