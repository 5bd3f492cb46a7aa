"""webhooks: starts a run of the source's workflow for each signed delivery.

A repeated delivery gets the same run.
"""

from typing import TYPE_CHECKING

import msgspec

from functions.api.webhooks.delivery import Received, WebhookDelivery
from functions.api.webhooks.scheme import confirm, scheme
from functions.api.webhooks.settings import WebhookSettings, keys_of, url_of
from functions.api.webhooks.sources import Source, find_source, sources
from functions.core import aws, clock, config, http
from functions.core.config import SettingsError, in_lambda
from functions.core.errors import StaleDelivery, Unavailable, WrongSignature
from functions.core.http.endpoint import http_endpoint, logged_call
from functions.core.observability import count, logger
from functions.core.runs.execution import RunId, new_run_id
from functions.core.runs.start import start_once

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class DeliveryAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that its source need not repeat."""

    run_id: RunId | None
    """Run that the delivery started; null if it starts none."""


def lambda_handler(event: http.Request, context: "LambdaContext") -> http.Response:
    """Answers 202 (or 200, if the scheme needs that) with the run's id, or a problem."""
    with logged_call(event, context):
        return http_endpoint(event, context, lambda request_id: receive_webhook(event, request_id))


def receive_webhook(event: http.Request, request_id: str) -> http.Response:
    """Takes a delivery of another application.

    The source signs it, and needs no token. The delivery starts a run of the workflow that the
    source is set up for. A repeated delivery gets the same run.

    Raises:
        MalformedBody, StaleDelivery, WrongSignature, NotFound, BodyTooLarge, InvalidParameters
    """
    name = str((event.get("pathParameters") or {}).get("source", ""))
    source = find_source(name)
    logger.append_keys(source=name, workflow=source.workflow)
    signs = scheme(source.scheme)
    received = Received(
        body=http.raw_body(event),
        headers=http.headers_of(event),
        query=event.get("rawQueryString") or "",
        url=url_of(name, source),
    )
    try:
        delivery = signs.verify(received, keys_of(source), clock.now())
    except (WrongSignature, StaleDelivery) as error:
        count("WebhookRefused", source=name)
        logger.append_keys(reason=error.detail)
        raise
    except SettingsError:
        logger.exception("this source's signing keys are not valid")
        raise Unavailable("The signature cannot be checked right now.") from None
    run_id = _start(name, source, delivery)
    logger.append_keys(run_id=run_id)
    count("WebhookAccepted", source=name)
    return http.answer(DeliveryAccepted(run_id=run_id), request_id, status=signs.accepted_status)


def _start(name: str, source: Source, delivery: WebhookDelivery) -> str | None:
    """Starts the run of a delivery, once. Returns the run's id; None if it starts no run."""
    if delivery.confirm_url:
        confirm(delivery.confirm_url)
    if not delivery.starts_run:
        return None
    parameters = source.parameters_of(delivery.payload, delivery.query)
    if parameters is None:
        return None
    run_id = new_run_id(source.workflow, f"webhook\n{name}\n{delivery.key}")
    # A run with other parameters under this id means that the source sent two contents under one
    # id, or that sources.toml has changed.
    started_by = f"webhook:{source.scheme}:{name}"
    start_once(
        source.workflow,
        parameters,
        token_id=f"webhook:{name}",
        started_by=started_by,
        run_id=run_id,
    )
    return run_id


if in_lambda():
    config.read(WebhookSettings)
    sources()
    for service in ("s3", "stepfunctions"):
        aws.client(service)
