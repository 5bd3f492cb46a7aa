"""Deliveries over the API: a list, newest first, one with its payload, and their replay."""

import hashlib
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from functions.api.webhooks.declared.source import Source
from functions.api.webhooks.kept import payloads, record
from functions.api.webhooks.kept.deliveries import (
    Delivery,
    DeliveryId,
    DeliveryPage,
    DeliveryStatus,
    DeliveryWithPayload,
    describe,
)
from functions.api.webhooks.kept.record import Outcome
from functions.api.webhooks.kept.taking import Place, begin, fail
from functions.api.webhooks.sources import find_source
from functions.core import clock, http
from functions.core.auth.caller import Caller
from functions.core.errors import FieldError, InvalidParameters, NotFound
from functions.core.http.endpoint import Route
from functions.core.observability import logger
from functions.core.parameters import Parameters, read_parameters
from functions.core.runs.execution import RunId

_MOST_READ = 1_000
"""Deliveries that one request looks at, for those of a status."""
_AT_ONCE = 100
"""Records in one request to DynamoDB."""


class DeliveriesQuery(Parameters):
    """Query of `GET /webhooks/<source>/deliveries`."""

    status: DeliveryStatus | None = None
    """Only deliveries with this status; by default all."""
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    """Most deliveries on a page."""
    cursor: DeliveryId | None = None
    """Cursor of the page, from the page before it."""


class Replay(Parameters):
    """Body of a replay, which takes no parameters."""


class DeliveryReplayed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was mapped again."""

    run_id: RunId | None
    """Run that the delivery started; null if it starts none."""
    woken: int | None
    """Items that its event has woken at once; null if it sends none."""


def list_deliveries(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Lists the deliveries of a source.

    The newest delivery comes first. Each is kept for 7 days. A page may be short and not the last:
    go on while there is a cursor.

    Raises:
        InvalidParameters, NotFound
    """
    name, _ = _source(event, caller)
    query = read_parameters(DeliveriesQuery, _query(event), strict=False)
    found: list[Delivery] = []
    after, read = query.cursor, 0
    while read < _MOST_READ:
        ids = payloads.newest(name, after, _AT_ONCE)
        read += len(ids)
        for each in describe(name, ids):
            if len(found) == query.limit:
                return http.answer(DeliveryPage(deliveries=found, cursor=after), request_id)
            after = each.id
            if query.status in {None, each.status}:
                found.append(each)
        if len(ids) < _AT_ONCE:
            after = None
            break
    return http.answer(DeliveryPage(deliveries=found, cursor=after), request_id)


def get_delivery(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Returns a delivery with its payload.

    Raises:
        NotFound
    """
    name, _ = _source(event, caller)
    delivery_id, content = _kept(name, event)
    (about,) = describe(name, [delivery_id])
    shown = DeliveryWithPayload(
        **msgspec.structs.asdict(about), payload=content.payload, query=content.query
    )
    return http.answer(shown, request_id)


def replay_delivery(event: http.Request, caller: Caller, request_id: str) -> http.Response:
    """Maps a delivery again, with the source's present expression, and starts its run.

    A delivery that has started a run starts another one. One of a source with an event sends it
    again, as of now. With an `Idempotency-Key` a repeated call does nothing more.

    Raises:
        InvalidParameters, NotFound
    """
    name, source = _source(event, caller)
    read_parameters(Replay, http.read_body(event))
    delivery_id, content = _kept(name, event)
    place = Place(name, source, delivery_id, clock.now())
    known = record.outcomes(name, [delivery_id]).get(delivery_id, Outcome())
    key = http.run_seed(event, caller.token_id)
    replay = hashlib.sha256(key.encode()).hexdigest() if key else None
    if replay and replay == known.replay:  # its answer was lost
        return _replayed(known, request_id)
    seed = (key or request_id) if known.took_effect else ""
    try:
        made = begin(place, content, seed, replay=replay)
    except InvalidParameters as error:
        if not known.took_effect:
            fail(place, error, request_id)
        raise
    logger.append_keys(run_id=made.run_id)
    return _replayed(made, request_id)


def _replayed(made: Outcome, request_id: str) -> http.Response:
    answer = DeliveryReplayed(run_id=made.run_id, woken=made.woken)
    return http.answer(answer, request_id, status=202)


def _source(event: http.Request, caller: Caller) -> tuple[str, Source]:
    """Name and source in the path. Raises `NotFound`, `NotPermitted`, `Unavailable`."""
    name = str((event.get("pathParameters") or {}).get("source", ""))
    source = find_source(name)
    logger.append_keys(source=name, workflow=source.workflow, event_type=source.event)
    caller.require(source.scope)
    return name, source


def _kept(name: str, event: http.Request) -> tuple[str, payloads.Content]:
    delivery_id = str((event.get("pathParameters") or {}).get("delivery_id", ""))
    content = payloads.read(name, delivery_id) if record.received_ms(delivery_id) else None
    if content is None:
        raise NotFound("There is no such delivery, or it is older than 7 days.")
    logger.append_keys(delivery_id=delivery_id)
    return delivery_id, content


def _query(event: http.Request) -> dict[str, str]:
    pairs = parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        raise InvalidParameters(FieldError("", "Send each query parameter only once."))
    return dict(pairs)


ROUTES = {
    "GET /webhooks/{source}/deliveries": Route(
        list_deliveries, "runs:read", {200: DeliveryPage}, query=DeliveriesQuery
    ),
    "GET /webhooks/{source}/deliveries/{delivery_id}": Route(
        get_delivery, "runs:read", {200: DeliveryWithPayload}
    ),
    "POST /webhooks/{source}/deliveries/{delivery_id}/replay": Route(
        replay_delivery, "runs:write", {202: DeliveryReplayed}, body=Replay
    ),
}
"""Routes of the API, which need a token."""
