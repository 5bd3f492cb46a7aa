"""webhooks: starts a run of the source's workflow for each signed delivery, or sends its event.

A repeated delivery gets the same run. Deliveries are kept for a week, and listed and replayed by
whoever may call the workflow, or send events.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from functions.api.webhooks.declared.challenge import answer_of, echo_of
from functions.api.webhooks.declared.source import Source
from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.kept.record import Outcome
from functions.api.webhooks.kept.routes import ROUTES
from functions.api.webhooks.kept.taking import identified, take
from functions.api.webhooks.scheme import confirm, scheme
from functions.api.webhooks.settings import WebhookSettings, keys_of, url_of
from functions.api.webhooks.sources import find_source, log_mistakes, no_such_source
from functions.core import aws, clock, config, http
from functions.core.aws import dynamodb
from functions.core.config import SettingsError, in_lambda
from functions.core.errors import StaleDelivery, Unavailable, WrongSignature
from functions.core.http.endpoint import api_endpoint, http_endpoint, logged_call
from functions.core.observability import count, logger
from functions.core.runs.execution import RunId

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_CHALLENGE = "GET /webhooks/{source}"


class DeliveryAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that its source need not repeat."""

    run_id: RunId | None
    """Run that the delivery started; null if it starts none."""
    woken: int | None
    """Items that its event has woken at once; null if it sends none. One that waits later finds the
    event, too.
    """


def lambda_handler(event: http.Request, context: "LambdaContext") -> http.Response:
    """Answers a delivery with 202 (or 200, if the source needs that) and the run's id, a challenge
    with what it asks for, and a token's call by its route; or a problem.
    """
    with logged_call(event, context):
        if event.get("routeKey") in ROUTES:
            return api_endpoint(event, context, ROUTES)
        answer = answer_challenge if event.get("routeKey") == _CHALLENGE else receive_webhook
        return http_endpoint(event, context, lambda request_id: answer(event, request_id))


def receive_webhook(event: http.Request, request_id: str) -> http.Response:
    """Takes a delivery of another application.

    The source signs it, and needs no token. The delivery starts a run of the workflow that the
    source is set up for, or sends its event to the items that wait for it. A repeated delivery gets
    the same run, or a retry of it if that has failed, and sends no second event.

    Raises:
        MalformedBody, StaleDelivery, WrongSignature, NotFound, BodyTooLarge, InvalidParameters
    """
    name, source = _source(event)
    signs = scheme(source.scheme, source)
    received = Received(
        body=http.raw_body(event),
        headers=http.headers_of(event),
        query=event.get("rawQueryString") or "",
        url=url_of(name, source),
    )
    try:
        keys = keys_of(source)
        delivery = signs.verify(received, keys, clock.now())
    except (WrongSignature, StaleDelivery) as error:
        _refused(name, error)
        raise
    except SettingsError:
        raise _unusable_keys() from None
    if (asked := answer_of(source, delivery, keys[0])) is not None:
        return _answered(asked, request_id)
    made = _taken(name, source, identified(source, received, delivery), request_id)
    logger.append_keys(run_id=made.run_id)
    count("WebhookAccepted", source=name)
    status = source.accepted_status or signs.accepted_status
    answer = DeliveryAccepted(run_id=made.run_id, woken=made.woken)
    return http.answer(answer, request_id, status=status)


def answer_challenge(event: http.Request, request_id: str) -> http.Response:
    """Answers the question with which some applications check the URL of a webhook.

    The answer is a parameter of the query, as plain text, if the verify token beside it is the
    source's. `make webhook-secret` shows that token.

    Raises:
        WrongSignature, NotFound
    """
    name, source = _source(event)
    if not source.challenge_query:
        raise no_such_source()
    try:
        keys = keys_of(source) if source.verify_token_query else ()
        text = echo_of(source, event.get("rawQueryString") or "", keys)
    except WrongSignature as error:
        _refused(name, error)
        raise
    except SettingsError:
        raise _unusable_keys() from None
    return http.text_answer(text, request_id)


def _source(event: http.Request) -> tuple[str, Source]:
    name = str((event.get("pathParameters") or {}).get("source", ""))
    source = find_source(name)
    logger.append_keys(source=name, workflow=source.workflow, event_type=source.event)
    return name, source


def _refused(name: str, error: WrongSignature | StaleDelivery) -> None:
    count("WebhookRefused", source=name)
    logger.append_keys(reason=error.detail)


def _unusable_keys() -> Unavailable:
    logger.exception("this source's signing keys are not valid")
    return Unavailable("The signature cannot be checked right now.")


def _answered(asked: Any, request_id: str) -> http.Response:  # noqa: ANN401 - JSON
    if isinstance(asked, str):
        return http.text_answer(asked, request_id)
    return http.answer(asked, request_id)


def _taken(name: str, source: Source, delivery: WebhookDelivery, request_id: str) -> Outcome:
    """Starts the run of a delivery or sends its event, once."""
    if delivery.confirm_url:
        confirm(delivery.confirm_url)
    return take(name, source, delivery, request_id) if delivery.starts_run else Outcome()


if in_lambda():
    config.read(WebhookSettings)
    log_mistakes()
    for service in ("s3", "stepfunctions"):
        aws.client(service)
    dynamodb.connect()
