"""invitation: somebody invites somebody to a team."""

from datetime import date
from typing import ClassVar

from functions.core.messages.rendering.content import Link, Name, Paragraph
from functions.core.parameters import Parameters


class Note(Paragraph):
    """A few words of the one who invites. A stranger to the reader may be writing, so they are few."""

    longest: ClassVar[int] = 500


class Data(Parameters):
    """Who invites whom to what."""

    inviter: Name
    team: Name
    accept_url: Link
    """Where the button goes."""
    expires_on: date
    """The last day on which it can be accepted."""
    note: Note | None = None
