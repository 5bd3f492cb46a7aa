"""Whether Lambda runs enough functions at once. New accounts have 10; a list would take them all."""

from functions.core.runs.settings import DEFAULT_CONCURRENCY
from functions.workflows.check_app_location.asking import Finding, ask
from functions.workflows.check_app_location.location import command

_LEAST = 2 * DEFAULT_CONCURRENCY
"""A list at its default, and as much for people who sign in meanwhile."""
_WANTED = 1000
"""Lambda's default for accounts that are not new."""
_QUOTA = "L-B99A9384"
"""Concurrent executions (Service Quotas, AWS Lambda)."""


def concurrency() -> Finding:
    """Counts what no function has reserved for itself."""
    limits = ask("lambda", lambda client: client.get_account_settings())["AccountLimit"]
    found = limits["UnreservedConcurrentExecutions"]
    if found >= _LEAST:
        return Finding(True, f"Lambda runs {found:,} functions at once.")
    few = (
        f"Lambda runs {found} functions at once, and a list takes {DEFAULT_CONCURRENCY} by default."
    )
    until = f"start lists with a max_concurrency of {max(1, found // 2)} at most"
    quota = f"--service-code lambda --quota-code {_QUOTA} --desired-value {_WANTED}"
    more = command(f"service-quotas request-service-quota-increase {quota}")
    return Finding(False, f"{few} Until that is raised, {until}. Raise it: {more}")
