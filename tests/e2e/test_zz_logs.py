"""Last of the e2e tests by its name: what all of them left in the logs."""

import re

import httpx

from tests.e2e.conftest import LocalStack


def test_no_log_line_has_a_code_a_token_or_a_whole_destination(stack: LocalStack) -> None:
    lines = stack.logs()
    assert any('"message":"answered"' in line for line in lines), "the logs were read"
    everything = "\n".join(lines)
    messages = httpx.get(f"{stack.url}/_local/inbox").json()
    assert messages
    # Timestamps and ids have digits too: a code counts where it stands alone.
    codes = {code for message in messages for code in re.findall(r"(?<!\d)\d{6}(?!\d)", message["text"])}
    assert [code for code in codes if re.search(rf"(?<![\w.:-]){code}(?![\w.:-])", everything)] == []
    assert [message["to"] for message in messages if message["to"] in everything] == []
    assert re.findall(r"wf_[A-Za-z0-9_-]{20,}", everything) == []
