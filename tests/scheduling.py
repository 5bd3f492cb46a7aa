"""Tests that stay together on one worker; every other test goes to whichever worker is free.

xdist's own marks for it (`xdist_group`, 3.8) have no effect under pytest 9.2, whose ids a plugin
cannot change.
"""

from xdist.scheduler.loadscope import LoadScopeScheduling

TOGETHER = {
    # The special stack's receiver is a server in its worker's process.
    "tests/e2e/test_events.py": "special",
    "tests/e2e/test_operate.py": "special",
    "tests/e2e/test_proof.py": "special",
    "tests/e2e/test_providers.py": "special",
    "tests/e2e/test_webhooks.py": "special",
    # A stack has these once: its registration token, its Usersnap switch.
    "tests/e2e/test_registration.py": "registration",
    "tests/e2e/test_usersnap.py": "usersnap",
    # Each storm uses the processes that the first one has started.
    "tests/e2e/test_storms.py": "storms",
    # All tests of the file share one stack.
    "tests/sam/test_local_invoke.py": "local invoke",
}


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """xdist's scheduling by scope, with most tests as scopes of their own."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER.get(nodeid.partition("::")[0], nodeid)
