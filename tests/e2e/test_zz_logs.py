"""Last of the e2e tests by its name: what all of them left in the logs. Other stacks are looked at when they stop."""

from tests.e2e.conftest import LocalStack


def test_no_log_line_has_a_code_a_token_or_a_whole_destination(stack: LocalStack) -> None:
    assert any('"message":"answered"' in line for line in stack.logs()), "the logs were read"
    assert stack.inbox(), "messages were sent"
    assert stack.leaks() == []
