"""Tests that stay together on one worker; every other one goes to whichever worker is free.

xdist's own marks for it (`xdist_group`, 3.8) have no effect under pytest 9.2, whose ids a plugin
cannot change.
"""

from collections.abc import Sequence
from typing import Any

import pytest
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
    # Its workflows have roles of their own.
    "tests/e2e/test_approvals.py": "approvals",
    # Each storm uses the processes that the first one has started.
    "tests/e2e/test_storms.py": "storms",
    # All tests of the file share one stack.
    "tests/sam/test_local_invoke.py": "local invoke",
}


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """xdist's scheduling by scope, with other scopes, from both ends of the list.

    End-to-end tests, which stand first, mostly wait, and unit tests compute. So every fourth worker
    begins with the last tests.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # else the largest scopes come first

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        self._places = {nodeid: place for place, nodeid in enumerate(collection)}

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        # xdist counts through all of a worker's scopes, also those that are done, after each test.
        scope = self._split_scope(self.registered_collections[node][item_index])
        if all(self.assigned_work[node][scope].values()):
            del self.assigned_work[node][scope]

    def _assign_work_unit(self, node: Any) -> None:
        scope = self._next_scope(from_the_end=self.nodes.index(node) % 4 == 3)
        unit = self.assigned_work[node][scope] = self.workqueue.pop(scope)
        # xdist would search the whole list for each test.
        node.send_runtest_some([self._places[nodeid] for nodeid, done in unit.items() if not done])

    def _next_scope(self, *, from_the_end: bool) -> str:
        left: list[str] = list(self.workqueue)
        if from_the_end:
            return left[-1]
        # These take longest.
        return next((scope for scope in TOGETHER.values() if scope in self.workqueue), left[0])

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        # What a file of unit tests makes once, such as a document, is made once in all workers.
        return TOGETHER.get(file, file if file.startswith("tests/unit/") else nodeid)
