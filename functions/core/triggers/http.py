"""The trigger `http`: a request through API Gateway.

The answer is the result or a problem; no exception leaves.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from functions.core import http
from functions.core.auth.caller import Caller, caller_of
from functions.core.definition.call import Call
from functions.core.definition.workflow import Workflow
from functions.core.http.endpoint import http_endpoint, once
from functions.core.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class HttpTrigger:
    """Calls one workflow over HTTP, now or in the background."""

    def __init__(self, workflow: Workflow[Any, Any]) -> None:
        self._workflow = workflow

    def answer(self, event: http.Request, context: "LambdaContext") -> http.Response:
        """The result, or the run that was started, or a problem."""
        return http_endpoint(event, context, lambda request_id: self._answer(event, request_id))

    def _answer(self, event: http.Request, request_id: str) -> http.Response:
        http.refuse_token_in_url(event)
        http.refuse_query(event)
        options = self._workflow.options
        if options.idempotency == "refused":
            http.refuse_idempotency_key(event)
        if options.public:
            return self._answer_anybody(event, request_id)
        caller = caller_of((event["requestContext"].get("authorizer") or {}).get("lambda"))
        logger.append_keys(token_id=caller.token_id)
        caller.require(*self._workflow.scopes, publishable=options.publishable)
        later = options.long or http.prefers(event, "respond-async")
        respond = self._respond_async if later else self._respond
        if options.idempotency == "heeded":
            reply = partial(respond, event, caller, request_id)
            return once(event, caller, reply, self._workflow.parameters)
        return respond(event, caller, request_id)

    def _answer_anybody(self, event: http.Request, request_id: str) -> http.Response:
        """Ignores a token: API Gateway has not authorized it."""
        if http.prefers(event, "respond-async"):
            self._workflow.require_background()
        return self._respond(event, None, request_id)

    def _respond(
        self, event: http.Request, caller: Caller | None, request_id: str
    ) -> http.Response:
        context = event["requestContext"]
        call = Call(
            request_id=request_id,
            trigger="http",
            caller=caller,
            client_ip=context["http"].get("sourceIp"),
            domain=context.get("domainName"),
            idempotency_key=self._passed_key(event),
        )
        return http.answer(self._workflow.run(http.read_body(event), call), request_id)

    def _passed_key(self, event: http.Request) -> str | None:
        """The request's `Idempotency-Key`, if the workflow's function is to get it."""
        passed = self._workflow.options.idempotency == "passed" and http.has_idempotency_key(event)
        return http.read_idempotency_key(event) if passed else None

    def _respond_async(self, event: http.Request, caller: Caller, request_id: str) -> http.Response:
        from functions.core.triggers.respond_async import respond_async  # noqa: PLC0415 - only the background pays for it

        return respond_async(self._workflow, event, caller, request_id)
