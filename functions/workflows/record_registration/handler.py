"""record_registration: exchanges the deployment's registration token for a private token, and renews it in the same step."""

from typing import Annotated

from msgspec import Meta

from functions.core.auth.tokens import NewToken, issue_token
from functions.core.aws import dynamodb
from functions.core.definition.names import workflow_names
from functions.core.errors import FieldError, InvalidParameters, NotPermitted, Unavailable
from functions.core.observability import count, logger
from functions.core.workflow import Call, Parameters, Result, workflow
from functions.workflows.record_registration import registration_token


class RecordRegistration(Parameters):
    """What proves that the caller may register, and how the private token is called."""

    registration_token: Annotated[str, Meta(min_length=1, max_length=128)]
    name: Annotated[str, Meta(max_length=64)] = "registration"

    def check(self) -> None:
        """A name is read in lists and terminals."""
        if not self.name.strip() or not self.name.isprintable():
            raise InvalidParameters(FieldError("/name", "must be text in one line"))


class RegistrationRecorded(Result):
    """The private token. Its text is shown in this answer and nowhere else."""

    token: str
    token_id: str
    name: str
    scopes: list[str]


def record_registration(parameters: RecordRegistration, call: Call) -> RegistrationRecorded:
    """The registration token is renewed first: a failure in between costs a look at the new one, never a second token."""
    if not registration_token.use_up(parameters.registration_token):
        raise _refused(call)
    text, token = _issued(parameters.name)
    logger.info(
        "registered", extra=_event("registration_recorded", call) | {"token_id": token.token_id}
    )
    count("RegistrationRecorded")
    return RegistrationRecorded(
        token=text, token_id=token.token_id, name=token.name, scopes=sorted(token.scopes)
    )


def _refused(call: Call) -> NotPermitted:
    """One and the same, whether the token was never right or is used up."""
    logger.warning("registration refused", extra=_event("registration_refused", call))
    count("RegistrationRefused")
    return NotPermitted("This is not the registration token, or no longer: each works once.")


def _event(name: str, call: Call) -> dict[str, str | None]:
    """What is logged of a security event (OWASP ASVS 5.0 16.3.1)."""
    return {"security_event": name, "request_id": call.request_id, "client_ip": call.client_ip}


def _issued(name: str) -> NewToken:
    # All but its own, which nobody needs.
    names = workflow_names() - {record_registration.__name__}
    scopes = {"runs:read", "runs:write"} | {f"workflow:{workflow}" for workflow in names}
    try:
        return issue_token(name, "secret", scopes)
    except Exception as error:
        told = "No token was issued, but the registration token was renewed: read it again, and use the new one."
        raise Unavailable(told) from error


lambda_handler = workflow(
    record_registration,
    prepare=[registration_token.RegistrationSettings, registration_token.client, dynamodb.connect],
    background=False,
    idempotency="refused",
    public=True,
)
