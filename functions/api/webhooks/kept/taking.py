"""Takes verified deliveries: keeps each, and starts its run or sends its event once.

A repeated delivery starts a run again if that has failed.
"""

from typing import Any, NamedTuple

import msgspec

from functions.api.webhooks.declared.expressions import DoesNotFit, search
from functions.api.webhooks.declared.source import Source
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.kept import payloads, record
from functions.api.webhooks.kept.payloads import Content
from functions.api.webhooks.kept.record import Outcome
from functions.core import clock
from functions.core.errors import Conflict, IdempotencyKeyReused, InvalidParameters, NotFound
from functions.core.http.problems import problem
from functions.core.observability import count, logger
from functions.core.runs.execution import new_run_id
from functions.core.runs.items import event_box
from functions.core.runs.retry import retry
from functions.core.runs.run import describe
from functions.core.runs.start import start

_MOST_ID_CHARACTERS = 255


class Place(NamedTuple):
    """A kept delivery's place."""

    name: str
    """Name of its source."""
    source: Source
    delivery_id: str
    event_at: float
    """Time of the event that it sends, in seconds since the epoch."""


def take(name: str, source: Source, delivery: WebhookDelivery, request_id: str) -> Outcome:
    """Outcome of a delivery, or that of its first try: the run or the event, or neither.

    Raises:
        InvalidParameters: the source keeps no deliveries, and its expression does not fit this one.
        Unavailable
    """
    if not source.keep:
        return Outcome(run_id=_start_unkept(name, source, delivery))
    delivery_id, new = record.claim(name, delivery.key, source.window_seconds)
    known = None if new else record.outcomes(name, [delivery_id]).get(delivery_id)
    logger.append_keys(delivery_id=delivery_id)
    seed = ""
    if known and known.woken is not None:
        return known
    if known and known.run_id:
        if not _was_refused(known.run_id):
            return _started_before(name, delivery_id, known.run_id)
        seed = f"after {known.run_id}"  # the section may have been mended meanwhile
    content = Content(delivery.payload, delivery.query)
    event_at = clock.now() if known else record.time_of_event(delivery_id)
    place = Place(name, source, delivery_id, event_at)
    if not known:
        payloads.write(name, delivery_id, content)
    try:
        return begin(place, content, seed)
    except InvalidParameters as error:
        fail(place, error, request_id)
        return Outcome()


def begin(place: Place, content: Content, seed: str = "", *, replay: str | None = None) -> Outcome:
    """Maps a kept delivery, and starts its run or sends its event. Returns its outcome.

    Args:
        place: of the delivery.
        content: of the delivery.
        seed: of another run than that of the first try, of a delivery that has started one or sent
            an event; by default it is the same run.
        replay: as in `Outcome`.

    Raises:
        InvalidParameters: the expression does not fit, or the run cannot start with its result.
        Unavailable
    """
    if place.source.event:
        made = Outcome(woken=_send(place, content), replay=replay)
    else:
        made = Outcome(run_id=_begin_run(place, content, seed), replay=replay)
    if made.took_effect or not seed:  # else what it did last stays its outcome
        record.conclude(place.name, place.delivery_id, made)
    return made


def _begin_run(place: Place, content: Content, seed: str) -> str | None:
    items = place.source.items_of(content.payload, content.query)
    if not items:
        return None
    seed = f"webhook\n{place.name}\n{place.delivery_id}\n{seed}"
    return _start(place.name, place.source, items, seed)


def _send(place: Place, content: Content) -> int | None:
    event = place.source.event_of(content.payload, content.query)
    return event_box.wake(event, place.event_at) if event else None


def fail(place: Place, error: InvalidParameters, request_id: str) -> None:
    """Marks a delivery as failed, and tells operators."""
    outcome = Outcome(problem=problem(error, request_id))
    record.conclude(place.name, place.delivery_id, outcome)
    count("WebhookFailed")
    logger.warning(
        "this delivery does not fit its section of sources.toml: mend that, and replay it",
        source=place.name,
        delivery_id=place.delivery_id,
    )


def identified(source: Source, received: Received, delivery: WebhookDelivery) -> WebhookDelivery:
    """The delivery with the identity that its source has chosen.

    An id in the payload is signed with it. One in a header may not be. Without either, the scheme
    decides.
    """
    if source.id_path and (found := _within(source.id_path, delivery.payload)):
        return msgspec.structs.replace(delivery, key=f"path\n{found}")
    header = source.unsigned_id_header
    sent = received.headers.get(header, "")[: _MOST_ID_CHARACTERS + 1] if header else ""
    if sent and len(sent) <= _MOST_ID_CHARACTERS and sent.isascii() and sent.isprintable():
        return msgspec.structs.replace(delivery, key=f"header\n{sent}")
    return delivery


def _within(path: str, payload: Any) -> str:  # noqa: ANN401 - JSON
    try:
        found = search(path, {"payload": payload})
    except DoesNotFit:
        return ""
    empty = found in (None, False, "", [], {})
    return "" if empty else msgspec.json.encode(found, order="deterministic").decode()


def _start_unkept(name: str, source: Source, delivery: WebhookDelivery) -> str | None:
    try:
        items = source.items_of(delivery.payload, delivery.query)
        if not items:
            return None
        return _start(name, source, items, f"webhook\n{name}\n{delivery.key}")
    except InvalidParameters:
        count("WebhookFailed")
        raise


def _start(name: str, source: Source, items: list[dict[str, Any]], seed: str) -> str:
    """Starts a run, once per seed."""
    workflow = str(source.workflow)
    run_id = new_run_id(workflow, seed)
    try:
        start(
            workflow,
            items,
            token_id=f"webhook:{name}",
            started_by=f"webhook:{source.scheme}:{name}",
            run_id=run_id,
        )
    except IdempotencyKeyReused:
        # The source sent two contents under one id, or its parameters have changed.
        logger.info("a run of this id was started before, with other parameters", run_id=run_id)
    return run_id


def _was_refused(run_id: str) -> bool:
    """True if the workflow has refused what the source's expression made."""
    try:
        failed = describe(run_id).problem
    except NotFound:
        return False
    return failed is not None and failed.code == "invalid_parameters"


def _started_before(name: str, delivery_id: str, run_id: str) -> Outcome:
    """Run of a repeated delivery: that of its first try, or a retry if it failed."""
    try:
        if describe(run_id).status not in _RETRIED:
            return Outcome(run_id=run_id)
        again = retry(run_id, token_id=f"webhook:{name}")
    except (Conflict, NotFound) as error:  # nothing is left to retry, or it is not kept any more
        logger.info("the run of this delivery is not retried", reason=error.detail)
        return Outcome(run_id=run_id)
    record.conclude(name, delivery_id, Outcome(run_id=again.run_id))
    return Outcome(run_id=again.run_id)


_RETRIED = {"failed", "partly_failed"}
"""A cancelled run was stopped by somebody, so no repetition starts it again."""
