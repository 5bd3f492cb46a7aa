"""Figures of one subject."""


class Figures:
    """What was measured of one subject; times in seconds, one entry a start or call."""

    def __init__(self) -> None:
        self.cold_cpu: list[float] = []
        """CPU from the start of the process to its first answer."""
        self.cold_wall: list[float] = []
        self.warm_cpu: list[float] = []
        self.warm_wall: list[float] = []
        self.peak_bytes: list[int] = []
        self.first_requests = 0
        """Requests to AWS of init and first call."""
        self.next_requests = 0.0
        """Requests to AWS of a later call, on average."""
        self.modules = 0
        """Modules that init imports, besides those of the runtime client."""
        self.zip_bytes = 0
