"""Error of `make workflow`."""


class Refused(Exception):
    """The workflow cannot be created and nothing was changed; the text says why."""
