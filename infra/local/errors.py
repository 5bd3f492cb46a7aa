"""What keeps the local stack from running, told to a person."""


class LocalStackError(Exception):
    """The text says what is wrong and what to do about it."""
