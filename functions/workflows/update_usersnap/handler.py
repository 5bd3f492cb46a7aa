"""update_usersnap: switches Usersnap feedback on or off, and forwards it to the client portal."""

from functions.core.aws import dynamodb
from functions.core.errors import FieldError, InvalidParameters
from functions.core.integrations import usersnap
from functions.core.integrations.usersnap.portal_keys import put_portal_key
from functions.core.observability import logger
from functions.core.workflow import Parameters, Result, workflow
from functions.workflows.update_usersnap.portal import PortalSecret, PortalUrl


class UpdateUsersnap(Parameters):
    """New settings. Absent ones stay as stored."""

    enabled: bool
    """Whether the widget is loaded."""
    space_api_key: usersnap.SpaceApiKey | None = None
    """Key that loads the widget; required until one is stored."""
    portal_url: PortalUrl | None = None
    """URL that feedback is forwarded to; `none` stops forwarding."""
    portal_secret: PortalSecret | None = None
    """Key that signs forwarded feedback, instead of the key that the stack made."""


class UsersnapUpdated(Result):
    """Settings in effect now."""

    enabled: bool
    """Whether the widget is loaded."""
    space_api_key: str | None
    """Key that loads the widget; null if none is stored."""
    portal_url: str | None
    """URL that feedback is forwarded to; null if there is none."""
    forwarding: bool
    """Whether feedback is forwarded to the portal."""


def update_usersnap(parameters: UpdateUsersnap) -> UsersnapUpdated:
    """Switches Usersnap feedback on or off for the app.

    The key of the portal changes first. Feedback is also signed with the previous key, so if a
    later step fails, the portal can still verify all it gets. The same call again completes the
    update.
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
    """Raises `InvalidParameters` if there is no key yet. Stored keys are never removed."""
    if parameters.enabled and not parameters.space_api_key and not usersnap.read().space_api_key:
        raise InvalidParameters(
            FieldError("/space_api_key", "is required to switch Usersnap on for the first time")
        )


lambda_handler = workflow(update_usersnap, prepare=[dynamodb.connect], background=False)
