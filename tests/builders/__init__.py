"""Builders of what tests feed to the code: calls, deliveries, verifications, runs, copies.

No test module imports another one (tests/unit/test_imports_of_tests.py). What two of them need is
here.
"""

from tests.builders.http import ALL_SCOPES, Context, Reply, call, http_event

__all__ = ["ALL_SCOPES", "Context", "Reply", "call", "http_event"]
