"""message: an email whose text is all data. Copy it for another email."""

from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core.messages.rendering.content import Line, Link, Paragraph, UnsubscribeLink
from functions.core.parameters import Parameters


class Button(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Button that the reader is asked to press."""

    label: Line
    url: Link


class Data(Parameters):
    """Variables of the message."""

    subject: Line
    heading: Line
    paragraphs: Annotated[list[Paragraph], Meta(min_length=1, max_length=20)]
    preheader: Line | None = None
    """Text after the subject in a list of emails; the first paragraph by default."""
    button: Button | None = None
    footnote: Paragraph | None = None
    """Small print."""
    unsubscribe_url: UnsubscribeLink | None = None
    """Unsubscribe URL of this reader; mail programs POST to it (RFC 8058)."""
