"""Builders of test data: calls, deliveries, verifications, runs, copies of the project.

Test modules never import each other (tests/unit/test_imports_of_tests.py), so anything that two of
them need is here.
"""

from tests.builders.http import ALL_SCOPES, Context, Reply, call, http_event

__all__ = ["ALL_SCOPES", "Context", "Reply", "call", "http_event"]
