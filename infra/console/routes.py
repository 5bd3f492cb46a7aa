"""Routes of the reads below `/_local/`."""

import json
import re
from collections.abc import Callable, Mapping
from email.message import Message
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import BotoCoreError, ClientError

from infra.console.answer import Answer, Refused, json_answer, refused
from infra.local.terminal import say


class Request(NamedTuple):
    """A request that may be answered."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes = b""

    def json(self) -> Any:  # noqa: ANN401 - whatever the page sends
        """The JSON body; an empty one is an empty object. Raises `Refused`."""
        if self.headers.get_content_type() != "application/json":
            raise Refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The content-type must be application/json."
            )
        try:
            return json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise Refused(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from None


Respond = Callable[..., object]
"""Function of a route: gets the request, and each `{name}` of the path as a keyword.

It returns an `Answer`, or a value that becomes JSON.
"""


class Route(NamedTuple):
    """A method, a path such as `/_local/inbox/{message_id}/html`, and the function that answers."""

    method: str
    path: str
    respond: Respond

    def names(self, path: str) -> dict[str, str] | None:
        """Values of the names in the path; none if it does not fit."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path)
        return {name: unquote(text) for name, text in found.groupdict().items()} if found else None


class Routes:
    """Answers requests by the first route that fits."""

    def __init__(self, *routes: Route) -> None:
        self._routes = routes

    def answer(self, request: Request) -> Answer:
        """The route's answer, or why there is none."""
        try:
            value = self._value(request)
        except Refused as error:
            return refused(error)
        except (OSError, ClientError, BotoCoreError) as error:
            message = f"The emulator did not answer: {error}"
            return json_answer({"message": message}, HTTPStatus.BAD_GATEWAY)
        except Exception as error:  # noqa: BLE001 - a page gets an answer, whatever it asks for
            say(f"{request.method} {request.path}: {type(error).__name__}: {error}", "error")
            message = "This cannot be shown. The terminal of make run says why."
            return json_answer({"message": message}, HTTPStatus.INTERNAL_SERVER_ERROR)
        return value if isinstance(value, Answer) else json_answer(value)

    def _value(self, request: Request) -> object:
        fitting = [
            (route, names)
            for route in self._routes
            if (names := route.names(request.path)) is not None
        ]
        method = "GET" if request.method == "HEAD" else request.method
        for route, names in fitting:
            if route.method == method:
                return route.respond(request, **names)
        if fitting:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not for this path.")
        known = ", ".join(f"{route.method} {route.path}" for route in self._routes)
        raise Refused(HTTPStatus.NOT_FOUND, f"There is {known}.")


def read_query(text: str) -> dict[str, str]:
    """First value of each name in a query."""
    return dict(reversed(parse_qsl(text, keep_blank_values=True)))
