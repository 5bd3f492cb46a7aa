"""welcome: greets somebody after sign-up."""

from functions.core.messages.rendering.content import Link, Name
from functions.core.parameters import Parameters


class Data(Parameters):
    """Variables of the welcome."""

    start_url: Link
    """URL of the button."""
    first_name: Name | None = None
