"""What keeps a workflow from being made."""


class Refused(Exception):
    """The workflow cannot be made, and nothing was changed; the text says why in a sentence."""
