"""welcome: the email after a sign-up."""

from functions.core.messages.rendering.content import Link, Name
from functions.core.parameters import Parameters


class Data(Parameters):
    """Whom it greets and where they begin."""

    start_url: Link
    """Where the button goes."""
    first_name: Name | None = None
