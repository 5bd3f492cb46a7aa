"""Time and cost of a function by its memory.

Lambda gives a function a share of a vCPU by its memory, so what it computes takes as much longer as
it has less. While it waits for AWS, it is billed for its memory and needs no CPU. So CPU costs the
same with any memory up to a whole vCPU, and only waits cost more.
"""

from typing import NamedTuple

from infra.plan import prices
from infra.plan.bench_page import Measured

MEGABYTES = (256, 512, 1024, prices.MEGABYTES_OF_A_CPU)
"""Sizes that are compared. Python runs on one vCPU, so more memory is no faster."""
USUAL_MEGABYTES = 512
"""Size of functions for which template.yaml says nothing else."""
MOST_USD_MORE = 1.00
"""Most that a million calls may cost more than with the usual memory.

A hundredth of what SES takes for a million codes.
"""
COLD_SHARE = 0.01
"""Share of calls that start a process; more in a small app, fewer in a large one."""

GET, WRITE, TRANSACTION, SECRET, SCHEDULE, EMAIL = 0.004, 0.005, 0.012, 0.015, 0.030, 0.060
"""Assumed waits for AWS in seconds, on an open connection. None was measured on AWS."""
CONNECT = 0.004
"""Assumed wait for a new connection with TLS."""


class Function(NamedTuple):
    """A function that a person waits for."""

    job: str
    """Its name in the bench."""
    resource: str
    """Its name in template.yaml."""
    waits: tuple[float, ...]
    """Waits of a call, one after the other."""
    first_waits: tuple[float, ...]
    """Further waits of the first call: secrets and connections."""


FUNCTIONS = (
    Function("authorize", "Authorize", (GET,), (CONNECT,)),
    Function("verify_check", "VerifyCheck", (WRITE,), (SECRET, CONNECT, CONNECT)),
    Function(
        "verify_send",
        "VerifySend",
        (GET, TRANSACTION, SCHEDULE, EMAIL),
        (SECRET, SECRET, CONNECT, CONNECT, CONNECT, CONNECT),
    ),
)


class Row(NamedTuple):
    """A function with one size of memory."""

    function: Function
    megabytes: int
    cold_seconds: float
    warm_seconds: float

    @property
    def share(self) -> float:
        """Share of a vCPU."""
        return share(self.megabytes)

    def warm_usd(self, architecture: str = "x86_64") -> float:
        """Cost of a million calls to processes that run."""
        return _usd(self.megabytes, self.warm_seconds, architecture)

    def usd(self, architecture: str = "x86_64") -> float:
        """Cost of a million calls, of which COLD_SHARE start a process. Init is billed."""
        seconds = self.cold_seconds * COLD_SHARE + self.warm_seconds * (1 - COLD_SHARE)
        return _usd(self.megabytes, seconds, architecture)


def share(megabytes: int) -> float:
    """Share of a vCPU that Python can use."""
    return min(1.0, megabytes / prices.MEGABYTES_OF_A_CPU)


def row(function: Function, measured: Measured, megabytes: int) -> Row:
    """Times of a function with a size of memory."""
    part, waits = share(megabytes), sum(function.waits)
    return Row(
        function,
        megabytes,
        measured.cold_cpu_seconds / part + waits + sum(function.first_waits),
        measured.warm_cpu_seconds / part + waits,
    )


def chosen(function: Function, measured: Measured) -> int:
    """The most memory with which a million calls cost at most MOST_USD_MORE more than usually."""
    usual = row(function, measured, USUAL_MEGABYTES).warm_usd()
    rows = [row(function, measured, each) for each in MEGABYTES]
    return max(each.megabytes for each in rows if each.warm_usd() <= usual + MOST_USD_MORE)


def _usd(megabytes: int, seconds: float, architecture: str) -> float:
    price = prices.LAMBDA_GIGABYTE_SECOND[architecture]
    return 1e6 * (megabytes / 1024 * seconds * price + prices.LAMBDA_REQUEST)
