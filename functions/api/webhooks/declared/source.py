"""One source of webhooks, as its section of sources.toml declares it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from functions.api.webhooks.declared.expressions import DoesNotFit, NotAnExpression, check, search
from functions.api.webhooks.scheme import SchemeName, Signature, Text
from functions.core.errors import FieldError, InvalidParameters
from functions.core.runs.items.event_box import EventType, KeyedEvent, refuse_large

WINDOW_SECONDS = 90 * 86_400
"""As long as Step Functions knows a run by its name."""

_GITHUB_ID = "x-github-delivery"
_PLACE = re.compile(r"\{[^{}]*\}")
_OF_TOKEN = {"header", "prefix", "body", "id_header"}
_TIMES = ("timestamp_header", "timestamp_prefix", "timestamp_path")

_MOST_KEY_CHARACTERS = 256

Expression = Annotated[str, Meta(max_length=20_000)]
"""JMESPath."""
_EXPRESSIONS = ("parameters", "key", "data", "id_path", "challenge", "timestamp_path")


class Source(Signature, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sender of webhooks, which may start runs of one workflow only, or send one type of event."""

    scheme: SchemeName
    workflow: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    parameters: Expression | None = None
    """Of the workflow."""
    event: EventType | None = None
    """Type of the event that it sends to the items that wait for it."""
    key: Expression | None = None
    """Of the event."""
    data: Expression | None = None
    """Of the event; by default the payload."""
    secret: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9:_-]+$")] | None = None
    id_path: Expression | None = None
    """JMESPath of what says which delivery it is."""
    window_seconds: Annotated[int, Meta(ge=1, le=WINDOW_SECONDS)] = WINDOW_SECONDS
    """Time within which deliveries with the same id are one delivery."""
    keep: bool = True
    """Whether deliveries are kept for a week, to be listed and replayed."""
    accepted_status: Literal[200, 202] | None = None
    challenge: Expression | None = None
    """JMESPath of the answer to a signed delivery that only asks for one."""
    challenge_query: Text | None = None
    """Parameter of a GET whose value is the answer."""
    verify_token_query: Text | None = None
    """Parameter of that GET that holds the source's verify token."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for fields that do not fit each other."""
        if self.scheme == "sns" and not self.topic:
            raise ValueError("a source with the scheme sns needs a topic")
        if self.scheme != "sns" and not self.secret:
            raise ValueError(f"a source with the scheme {self.scheme} needs a secret")
        self._check_signature()
        self._check_effect()
        if not self.keep and self.window_seconds != WINDOW_SECONDS:
            raise ValueError("window_seconds needs deliveries that are kept, so not keep = false")
        if self.verify_token_query and not self.challenge_query:
            raise ValueError("verify_token_query needs a challenge_query")
        if self.challenge_query and not self.secret:
            raise ValueError("challenge_query needs a source with a secret")
        for field in _EXPRESSIONS:
            expression = getattr(self, field)
            try:
                if expression is not None:
                    check(expression, signing=field == "challenge" and self.scheme == "hmac")
            except NotAnExpression as error:
                raise ValueError(f"{field} is not a JMESPath expression: {error}") from None

    def _check_signature(self) -> None:
        set_fields = {
            name
            for name in Signature.__struct_fields__
            if getattr(self, name) != getattr(_DEFAULT, name)
        }
        if self.scheme == "hmac":
            self._check_hmac()
        elif others := set_fields - (_OF_TOKEN if self.scheme == "token" else {"id_header"}):
            raise ValueError(f"{min(others)} is no setting of the scheme {self.scheme}")

    def _check_effect(self) -> None:
        wrong = {
            "a source needs a workflow that it starts, or an event that it sends": (
                not self.workflow and not self.event
            ),
            "event cannot stand beside workflow: a source starts runs or sends events": (
                self.workflow and self.event
            ),
            "a source with a workflow needs parameters": self.workflow and self.parameters is None,
            "a source with an event needs a key": self.event and self.key is None,
            "parameters needs a workflow": self.event and self.parameters is not None,
            "key needs an event": self.workflow and self.key is not None,
            "data needs an event": self.workflow and self.data is not None,
            "keep = false needs a workflow: an event is sent once because its delivery is kept": (
                self.event and not self.keep
            ),
        }
        for sentence, holds in wrong.items():
            if holds:
                raise ValueError(sentence)

    def _check_hmac(self) -> None:
        times = [name for name in _TIMES if getattr(self, name)]
        unknown = set(_PLACE.findall(self.signed)) - {f"{{{name}}}" for name in self.places}
        wrong = {
            "header is missing, in which the source signs": not self.header,
            "signed has an unknown place; there are {body}, {timestamp}, {id}, {method}, {url}": (
                unknown
            ),
            "signed has no {body}, so that anybody could change it": "body" not in self.places,
            f"{', '.join(times)}: the time can be in one place only": len(times) > 1,
            "signed has a {timestamp}, so set timestamp_header or timestamp_prefix": (
                "timestamp" in self.places and (not times or self.timestamp_path)
            ),
            "signed has no {timestamp}, so that the time of the header proves nothing": (
                "timestamp" not in self.places and times and not self.timestamp_path
            ),
            "timestamp_prefix needs a separator": self.timestamp_prefix and not self.separator,
            "signed has an {id}, so set id_header": "id" in self.places and not self.id_header,
        }
        for sentence, holds in wrong.items():
            if holds:
                raise ValueError(sentence)

    @property
    def scope(self) -> str:
        """Scope of who may do what a delivery does."""
        return f"workflow:{self.workflow}" if self.workflow else "events:write"

    @property
    def signs_url(self) -> bool:
        """True if it signs the URL that it calls, which `PublicUrl` then has to tell."""
        return self.scheme == "twilio" or "url" in self.places

    @property
    def unsigned_id_header(self) -> str | None:
        """Header of the delivery's id; GitHub's is known."""
        if self.id_header:
            return self.id_header.lower()
        return _GITHUB_ID if self.scheme == "github" else None

    def items_of(self, payload: Any, query: Mapping[str, str]) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
        """Parameters of the workflow for a delivery, once for each item; none if it starts no run.

        Raises:
            InvalidParameters: the source's expression does not fit the payload.
        """
        result = self._result("parameters", payload, query)
        if result is None or result is False:
            return []
        items = [each for each in result if each] if isinstance(result, list) else [result]
        if not all(isinstance(each, dict) for each in items):
            raise _misfit("parameters", ", which made no object of it")
        return items

    def event_of(self, payload: Any, query: Mapping[str, str]) -> KeyedEvent | None:  # noqa: ANN401 - JSON
        """Event of a delivery; null if it sends none.

        Raises:
            InvalidParameters: an expression does not fit the payload.
        """
        key = self._result("key", payload, query)
        if key is False:
            return None
        if isinstance(key, int) and not isinstance(key, bool):
            key = str(key)
        if not isinstance(key, str) or not 0 < len(key) <= _MOST_KEY_CHARACTERS:
            raise _misfit("key", f", which made no text of 1 to {_MOST_KEY_CHARACTERS} characters")
        data = self._result("data", payload, query) if self.data else payload
        if not isinstance(data, dict):
            raise _misfit("data", ", which made no object of it")
        try:
            refuse_large(data)
        except InvalidParameters as error:
            raise _misfit("data", f", which {error.errors[0].detail}") from None
        return KeyedEvent(type=str(self.event), key=key, data=data)

    def _result(self, field: str, payload: Any, query: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        try:
            return search(getattr(self, field), {"payload": payload, "query": query})
        except DoesNotFit as error:
            raise _misfit(field, f": {error}") from None


_DEFAULT = Signature()


def _misfit(field: str, why: str) -> InvalidParameters:
    sentence = f"does not fit `{field}` of this source{why}."
    return InvalidParameters(
        FieldError("/payload", f"{sentence} Mend it in sources.toml, then replay the delivery.")
    )
