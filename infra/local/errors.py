"""What keeps the local stack from running, told to a person."""


class LocalStackError(Exception):
    """The text says what is wrong and what to do about it."""


class PortInUse(LocalStackError):
    """Another program listens there."""

    def __init__(self, port: int, command: str) -> None:
        """`command` is what was tried."""
        super().__init__(
            f"Port {port} is in use. Stop what listens there, or choose another one: {command} PORT={port + 1}"
        )
