"""Operations: one for each route, described by the code that answers it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_type_hints

from msgspec import inspect

from functions.api.webhooks.handler import DeliveryAccepted, answer_challenge, receive_webhook
from functions.api.webhooks.kept.deliveries import DeliveryId
from functions.core.errors import (
    IdempotencyKeyRefused,
    InvalidIdempotencyKey,
    InvalidParameters,
    NotInBackground,
    NotPermitted,
    ResultTooLarge,
)
from functions.core.runs.execution import RunId
from functions.core.runs.items.references import ItemIndex
from functions.core.runs.run import Run
from functions.core.schedules.names import ScheduleId
from infra.openapi.components.docstrings import Told, told
from infra.openapi.components.problems import ALWAYS, WITH_BODY, WITH_KEY, WITH_TOKEN, Errors
from infra.openapi.components.security import PUBLIC, SIGNED, SourceName, bearer
from infra.openapi.routes import TemplateRoute

OWN = "Your own"
GROUPS = {
    "Verify": "Verify an email address or a phone number with a code.",
    "Emails": "Send branded emails from templates.",
    "Canvas": "Feedback, set-up and registration of the app.",
    "Runs": "Work in the background, on one item or up to a million.",
    "Schedules": "Runs that start in the future, once or repeatedly.",
    "Events": "Events for items that wait for them.",
    "Webhooks": "Deliveries of other applications, which start runs.",
    "Platform": "Workflows that the platform itself uses.",
    "Documents": "Public documents, without a token.",
    OWN: "Workflows that you have added.",
}
"""Descriptions of the tags, in their order."""

_PATH_TYPES = {
    "run_id": RunId,
    "index": ItemIndex,
    "schedule_id": ScheduleId,
    "source": SourceName,
    "delivery_id": DeliveryId,
}
_PATH_TEXTS = {
    "run_id": "Id of the run.",
    "index": "Index of the item in the list, from 0.",
    "schedule_id": "Id of the schedule.",
    "source": "Name of the source in `functions/api/webhooks/sources.toml`.",
    "delivery_id": "Id of the delivery.",
}


class Operation(NamedTuple):
    """A route and all that a document says of it."""

    route: TemplateRoute
    name: str
    """`operationId`."""
    tag: str
    told: Told
    answers: Mapping[int, Any]
    """Types of the answers by status; null without a JSON body."""
    errors: Errors
    security: Sequence[Mapping[str, Sequence[str]]]
    body: Any = None
    query: Any = None
    headers: tuple[str, ...] = ()
    """Names in headers.PARAMETERS."""
    content_type: str = "application/json"

    @property
    def requests(self) -> list[Any]:
        """Types of what clients send."""
        path = [_PATH_TYPES[name] for name in self.path_names]
        return [*path, *filter(None, [self.body, self.query])]

    @property
    def path_names(self) -> list[str]:
        """Names of the parameters in the path."""
        return [each[1:-1] for each in self.route.path.split("/") if each.startswith("{")]

    @property
    def workflow(self) -> str | None:
        """Name of the workflow that it calls."""
        return self.route.workflow

    def path_parameters(self) -> list[tuple[str, Any, str]]:
        """Name, type and description of the parameters in the path."""
        return [(name, _PATH_TYPES[name], _PATH_TEXTS[name]) for name in self.path_names]


def operation_of(route: TemplateRoute) -> Operation:
    """The operation of a route. Imports its function."""
    module = route.imported()
    if route.workflow:
        return _workflow(route, module.lambda_handler.definition)
    if route.key in getattr(module, "ROUTES", {}):
        return _api(route, module.ROUTES[route.key])
    if route.key in getattr(module, "DOCUMENTS", {}):
        return _document(route, module.DOCUMENTS[route.key])
    if module.__name__ == receive_webhook.__module__:
        return _webhook(route)
    raise ValueError(
        f"{route.key} is neither in ROUTES nor in DOCUMENTS of {route.module}, "
        "so nothing describes it."
    )


def _workflow(route: TemplateRoute, definition: Any) -> Operation:  # noqa: ANN401 - of any workflow
    options, about = definition.options, told(definition.function, definition.name)
    group = route.about.partition(":")[0]
    raised: list[type[Exception]] = [*ALWAYS, *WITH_BODY, ResultTooLarge, *about.raises]
    answers: dict[int, Any] = {200: get_type_hints(definition.function)["return"]}
    headers: tuple[str, ...] = ()
    if not options.public:
        raised += WITH_TOKEN
    if options.idempotency == "heeded":
        raised += WITH_KEY
        headers += ("IdempotencyKey",)
    if options.idempotency == "passed":
        raised.append(InvalidIdempotencyKey)
        headers += ("PassedIdempotencyKey",)
    if options.idempotency == "refused":
        raised.append(IdempotencyKeyRefused)
    if options.background:
        headers += ("Prefer",)
        answers[202] = Run
    else:
        raised.append(NotInBackground)
    return Operation(
        route,
        definition.name,
        group if group in GROUPS else OWN,
        about,
        answers,
        raised,
        PUBLIC if options.public else bearer(*definition.scopes),
        body=definition.parameters,
        headers=headers,
    )


def _api(route: TemplateRoute, declared: Any) -> Operation:  # noqa: ANN401 - endpoint.Route
    about = told(declared.answer, route.key)
    body = WITH_BODY if declared.body else ()
    raised = [*ALWAYS, *WITH_TOKEN, InvalidParameters, *about.raises, *body]
    key = route.method == "POST"
    return Operation(
        route,
        declared.answer.__name__.strip("_"),
        route.path.split("/")[1].capitalize(),
        about,
        declared.answers,
        [*raised, *WITH_KEY] if key else raised,
        bearer(declared.scope),
        body=declared.body,
        query=declared.query,
        headers=("IdempotencyKey",) if key else (),
    )


def _document(route: TemplateRoute, document: Any) -> Operation:  # noqa: ANN401 - a Document
    about = told(document.text, route.path)
    return Operation(
        route,
        document.text.__name__.strip("_"),
        "Documents",
        about,
        {200: None, 304: None},
        [*ALWAYS, *about.raises],
        PUBLIC,
        headers=("IfNoneMatch",),
        content_type=document.content_type,
    )


def _webhook(route: TemplateRoute) -> Operation:
    if route.method == "GET":
        about = told(answer_challenge, route.key)
        raised = [*ALWAYS, *about.raises]
        name = answer_challenge.__name__
        plain = "text/plain"
        return Operation(
            route, name, "Webhooks", about, {200: None}, raised, PUBLIC, content_type=plain
        )
    about = told(receive_webhook, route.key)
    answers = {200: DeliveryAccepted, 202: DeliveryAccepted}
    raised = [each for each in (*ALWAYS, *about.raises) if each is not NotPermitted]
    return Operation(route, receive_webhook.__name__, "Webhooks", about, answers, raised, SIGNED)


def is_required(body: Any) -> bool:  # noqa: ANN401 - a struct
    """Whether a body has a field that must be there."""
    info = inspect.type_info(body)
    return isinstance(info, inspect.StructType) and any(each.required for each in info.fields)
