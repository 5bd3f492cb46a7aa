"""record_registration: exchanges the registration token for a private token.

The registration token is renewed in the same step.
"""

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
    """The registration token, and a name for the private token."""

    registration_token: Annotated[str, Meta(min_length=1, max_length=128)]
    """Current registration token of the stack (`make secret NAME=registration-token`)."""
    name: Annotated[str, Meta(max_length=64)] = "registration"
    """Name of the private token in the list of tokens."""

    def check(self) -> None:
        """Refuses names that lists and terminals cannot show."""
        if not self.name.strip() or not self.name.isprintable():
            raise InvalidParameters(FieldError("/name", "must be printable text on one line"))


class RegistrationRecorded(Result):
    """The private token. Only this answer contains its text."""

    token: str
    """Text of the private token."""
    token_id: str
    """Id of the token, for `make revoke`."""
    name: str
    """Name of the token."""
    scopes: list[str]
    """Scopes of the token: all workflows and runs."""


def record_registration(parameters: RecordRegistration, call: Call) -> RegistrationRecorded:
    """Exchanges the registration token for a private token.

    The registration token is renewed first. After a failure in between, the new one works. No
    failure can issue two tokens.

    Raises:
        NotPermitted
    """
    if not registration_token.redeem(parameters.registration_token):
        raise _refused(call)
    text, token = _issue(parameters.name)
    logger.info(
        "registered", extra=_event("registration_recorded", call) | {"token_id": token.token_id}
    )
    count("RegistrationRecorded")
    return RegistrationRecorded(
        token=text, token_id=token.token_id, name=token.name, scopes=sorted(token.scopes)
    )


def _refused(call: Call) -> NotPermitted:
    """Error for a wrong token and a used one alike, so that a stranger cannot tell them apart."""
    logger.warning("registration refused", extra=_event("registration_refused", call))
    count("RegistrationRefused")
    return NotPermitted(
        "This is not the current registration token. Each works once: read the current one."
    )


def _event(name: str, call: Call) -> dict[str, str | None]:
    """Log fields of a security event (OWASP ASVS 5.0 16.3.1)."""
    return {"security_event": name, "request_id": call.request_id, "client_ip": call.client_ip}


def _issue(name: str) -> NewToken:
    # record_registration takes no private token, so no scope is needed for it.
    names = workflow_names() - {record_registration.__name__}
    scopes = {"runs:read", "runs:write", "events:write"}
    scopes |= {f"workflow:{workflow}" for workflow in names}
    try:
        return issue_token(name, "secret", scopes)
    except Exception as error:
        raise Unavailable(
            "No token was issued, but the registration token was renewed. "
            "Read the new registration token and try again."
        ) from error


lambda_handler = workflow(
    record_registration,
    prepare=[registration_token.RegistrationSettings, registration_token.client, dynamodb.connect],
    background=False,
    idempotency="refused",
    public=True,
)
