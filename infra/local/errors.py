"""Errors of the local stack."""


class LocalStackError(Exception):
    """The local stack cannot run; the text says why and what to do."""


class PortInUse(LocalStackError):
    """The port is taken by another program."""

    def __init__(self, port: int, command: str) -> None:
        """`command` is the command that failed, such as `make run`."""
        super().__init__(
            f"Port {port} is in use. Stop the program that listens there, "
            f"or choose another port: {command} PORT={port + 1}"
        )
