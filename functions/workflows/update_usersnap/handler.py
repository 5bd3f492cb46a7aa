"""update_usersnap: switches Usersnap feedback on or off for the app, and lets feedback reach the client portal."""

from functions.core.aws import dynamodb
from functions.core.errors import FieldError, InvalidParameters
from functions.core.integrations import usersnap
from functions.core.integrations.usersnap.portal_keys import put_portal_key
from functions.core.observability import logger
from functions.core.workflow import Parameters, Result, workflow
from functions.workflows.update_usersnap.portal import PortalSecret, PortalUrl


class UpdateUsersnap(Parameters):
    """What changes. What is absent stays as it is stored."""

    enabled: bool
    space_api_key: usersnap.SpaceApiKey | None = None
    """Which the widget is loaded with; needed until one is stored."""
    portal_url: PortalUrl | None = None
    """Where feedback goes; `none`: nowhere any more."""
    portal_secret: PortalSecret | None = None
    """What feedback is signed with on its way there, instead of the key that the stack made."""


class UsersnapUpdated(Result):
    """What is in effect now."""

    enabled: bool
    """Whether the widget is loaded."""
    space_api_key: str | None
    portal_url: str | None
    forwarding: bool
    """Whether feedback goes to the portal."""


def update_usersnap(parameters: UpdateUsersnap) -> UsersnapUpdated:
    """The secret first: feedback is signed with the key before it, too, so that whatever does not happen afterwards, no portal
    gets what it cannot verify. The same call again does the rest.
    """
    _refuse_without_key(parameters)
    if parameters.portal_secret:
        put_portal_key(parameters.portal_secret)
    state = usersnap.update(
        enabled=parameters.enabled,
        space_api_key=parameters.space_api_key,
        portal_url=parameters.portal_url,
    )
    logger.info(
        "usersnap updated", extra={"enabled": state.enabled, "forwarding": state.forwarding}
    )
    return UsersnapUpdated(
        enabled=state.enabled,
        space_api_key=state.space_api_key,
        portal_url=state.portal_url,
        forwarding=state.forwarding,
    )


def _refuse_without_key(parameters: UpdateUsersnap) -> None:
    """Before anything is changed. A key that is found stays: none is ever taken away."""
    if parameters.enabled and not parameters.space_api_key and not usersnap.read().space_api_key:
        raise InvalidParameters(
            FieldError("/space_api_key", "is required to switch Usersnap on for the first time")
        )


lambda_handler = workflow(update_usersnap, prepare=[dynamodb.connect], background=False)
