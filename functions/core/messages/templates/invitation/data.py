"""invitation: invites somebody to a team."""

from datetime import date
from typing import ClassVar

from functions.core.messages.rendering.content import Link, Name, Paragraph
from functions.core.parameters import Parameters


class Note(Paragraph):
    """Short note of the inviter, who may be a stranger to the reader."""

    longest: ClassVar[int] = 500


class Data(Parameters):
    """Variables of the invitation."""

    inviter: Name
    team: Name
    accept_url: Link
    """URL of the button."""
    expires_on: date
    """Last day on which the invitation can be accepted."""
    note: Note | None = None
