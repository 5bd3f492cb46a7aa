"""message: an email whose words are all given; the one to copy for another email."""

from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core.messages.rendering.content import Line, Link, Paragraph, UnsubscribeLink
from functions.core.parameters import Parameters


class Button(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the reader is asked to do."""

    label: Line
    url: Link


class Data(Parameters):
    """What the email says."""

    subject: Line
    heading: Line
    paragraphs: Annotated[list[Paragraph], Meta(min_length=1, max_length=20)]
    preheader: Line | None = None
    """What a list of emails shows after the subject; the first paragraph without it."""
    button: Button | None = None
    footnote: Paragraph | None = None
    """In small print."""
    unsubscribe_url: UnsubscribeLink | None = None
    """The reader's own: mail programs unsubscribe by a POST to it (RFC 8058)."""
