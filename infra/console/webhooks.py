"""Sources of webhooks, and signed samples of their deliveries. No answer contains a secret."""

import time
from http import HTTPStatus
from typing import Any

from functions.api.webhooks.declared.source import Source
from functions.api.webhooks.sources import SOURCES, check_sources
from functions.core.config import SettingsError
from functions.core.signing.keys import read_keys
from infra.console.about import Stack
from infra.console.answer import Refused
from infra.console.routes import Request
from infra.console.samples import filled, sample_payload
from infra.console.signatures import NotSignable, sign
from infra.source_mistakes import mistakes_in_file

_SNS = "Only Amazon can sign a message of SNS, with its certificate. "
_CALL = "Call {} with its sample parameters instead."
_SEND = "Send its event by POST /events instead."


def sources(stack: Stack) -> dict[str, Any]:
    """All usable sources as sources.toml has them now, and a sentence for each of its mistakes."""
    found = [
        {
            "source": name,
            "scheme": source.scheme,
            "workflow": source.workflow,
            "parameters": source.parameters,
            "event": source.event,
            "key": source.key,
            "data": source.data,
            "keep": source.keep,
            "secret_set": bool(_secret(stack, source)) if source.secret else None,
            "sample_payload": sample_payload(name, source.scheme),
        }
        for name, source in _read().items()
    ]
    return {"sources": found, "mistakes": mistakes_in_file()}


def sample(stack: Stack, request: Request, name: str) -> dict[str, Any]:
    """A delivery to a source, signed now: the request that the page can send.

    The body may have a `payload`. In it, as in the sample, `<now>` and `<new>` are replaced.
    """
    source = _read().get(name)
    if source is None:
        raise Refused(HTTPStatus.NOT_FOUND, f"sources.toml has no source {name}.")
    asked = request.json()
    given = asked.get("payload") if isinstance(asked, dict) else None
    payload = filled(sample_payload(name, source.scheme) if given is None else given)
    path = f"/webhooks/{name}"
    if source.topic:
        instead = _CALL.format(source.workflow) if source.workflow else _SEND
        return {"signed": False, "why": _SNS + instead, "path": path}
    secret = _secret(stack, source)
    if not secret:
        command = f"make webhook-secret SOURCE={name}"
        why = f"The secret of {name} is not set: {command}"
        return {"signed": False, "why": why, "path": path, "command": command}
    try:
        key = read_keys(secret)[0]
        delivery = sign(source.scheme, payload, key, stack.url + path, time.time(), of=source)
    except (NotSignable, SettingsError) as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    return {"signed": True, "path": path, **delivery._asdict()}


def _read() -> dict[str, Source]:
    return check_sources(SOURCES.read_text()).usable


def _secret(stack: Stack, source: Source) -> str:
    """Text of a source's secret; empty if it is not set."""
    manager = stack.deployment.emulator.client("secretsmanager")
    name = stack.deployment.outputs["WebhookSecrets"] + str(source.secret)
    try:
        return str(manager.get_secret_value(SecretId=name)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:
        return ""
