"""Checks Lambda's concurrency. New accounts have 10, which a single list would use up."""

from functions.core.runs.settings import DEFAULT_CONCURRENCY
from functions.workflows.check_app_location.asking import Finding, ask
from functions.workflows.check_app_location.location import command

_LEAST = 2 * DEFAULT_CONCURRENCY
"""Enough for one list at its default, and as much again for people who sign in meanwhile."""
_RECOMMENDED = 1000
"""Lambda's default quota for accounts that are not new."""
_QUOTA = "L-B99A9384"
"""Concurrent executions (Service Quotas, AWS Lambda)."""


def concurrency() -> Finding:
    """Checks the concurrency that no function has reserved."""
    limits = ask("lambda", lambda client: client.get_account_settings())["AccountLimit"]
    unreserved = limits["UnreservedConcurrentExecutions"]
    if unreserved >= _LEAST:
        return Finding(True, f"Lambda can run {unreserved:,} functions at once.")
    state = (
        f"Lambda can run only {unreserved} functions at once, "
        f"and a list uses {DEFAULT_CONCURRENCY} by default."
    )
    until = f"start lists with a max_concurrency of at most {max(1, unreserved // 2)}"
    quota = f"--service-code lambda --quota-code {_QUOTA} --desired-value {_RECOMMENDED}"
    increase = command(f"service-quotas request-service-quota-increase {quota}")
    return Finding(False, f"{state} Until that is raised, {until}. Raise it: {increase}")
