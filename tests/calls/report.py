"""Report of `make calls`: each function's calls, compared with the permissions of its role.

`python -m tests.calls.report <folder>` merges the processes' records into calls.json in that folder
and prints it. It fails when a function made a call that its role does not allow.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypedDict

from tests.roles import HANDLERS, RESOURCES, allowed

TABLES = {
    each["Properties"]["TableName"]["Fn::Sub"].replace("${AWS::StackName}", "local"): logical_id
    for logical_id, each in RESOURCES.items()
    if each["Type"] == "AWS::DynamoDB::Table"
}
ROLES = {handler.split(".")[2]: f"{name}Role" for name, handler in sorted(HANDLERS.items())}
"""Role of each function. Functions that tests add to the stack have no role and are not reported.
"""
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
}
"""Names of IAM actions that differ from the operation's (Service Authorization Reference)."""

WITHOUT_A_CALL = (
    # Lambda itself uses these: for the function's log, its stream and its dead letters.
    "logs:",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "sqs:SendMessage",
    # EventBridge Scheduler requires it when a schedule is created.
    "iam:PassRole",
    # Without it S3 answers "access denied" for a missing object.
    "s3:ListBucket",
)
"""Prefixes of actions that no function calls."""


class Count(TypedDict):
    """Number of calls: in total, of invocations that make one, and the most in one invocation."""

    count: int
    invocations: int
    most: int


Record = dict[str, dict[str, dict[str, Count]]]
"""Counts by function, trigger and call. The call `any AWS call` sums up an invocation."""

ALL = "any AWS call"


def merged(lines: Iterable[str]) -> Record:
    """Merges the recorder's lines into one record."""
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for line in map(json.loads, lines):
        calls = Counter[str]()
        for call, count in line["calls"].items():
            calls[named(call)] += count
        calls[ALL] = sum(count for call, count in calls.items() if not call.startswith("http:"))
        for call, count in calls.items():
            found[line["function"], line["trigger"], call].append(count)
    record: Record = defaultdict(lambda: defaultdict(dict))
    for (function, trigger, call), counts in sorted(found.items()):
        record[function][trigger][call] = Count(
            count=sum(counts), invocations=len(counts), most=max(counts)
        )
    return record


def named(call: str) -> str:
    """The call with its tables named by their ids in template.yaml."""
    for name, logical_id in TABLES.items():
        call = call.replace(name, logical_id)
    return call


def needs(call: str) -> Iterator[tuple[str, str]]:
    """Actions and resources that a call needs; the resource is empty where the record has none."""
    operation, _, about = call.partition(" ")
    if operation == "dynamodb:TransactWriteItems":
        for kind, _, table in (write.partition(":") for write in about.split(", ")):
            yield f"dynamodb:{kind}Item", f"{table}.Arn"
    elif operation.startswith("dynamodb:"):
        for table in about.split(", "):
            name, index, rest = table.partition("/")
            yield operation, f"${{{name}.Arn}}/{rest}" if index else f"{name}.Arn"
    else:
        yield ACTIONS.get(operation, operation), f"${{RunFiles.Arn}}/{about}" if about else ""


def compared(function: str, record: Record) -> tuple[list[str], list[str]]:
    """Calls without a permission, and permissions that no call used."""
    calls = {call for counts in record.get(function, {}).values() for call in counts}
    needed = {
        need
        for call in calls
        if call != ALL and not call.startswith("http:")
        for need in needs(call)
    }
    may = allowed(ROLES[function])
    missing = [need for need in needed if not any(covers(permission, need) for permission in may)]
    used = {permission for permission in may if any(covers(permission, need) for need in needed)}
    unused = [each for each in may - used if not each[0].startswith(WITHOUT_A_CALL)]
    return [" ".join(each) for each in sorted(missing)], [" ".join(each) for each in sorted(unused)]


def covers(permission: tuple[str, str], need: tuple[str, str]) -> bool:
    """Whether a permission covers this action, and its resource where that is known."""
    return permission[0] == need[0] and (not need[1] or permission[1] in {need[1], "*"})


def report(record: Record) -> Iterator[str]:
    """Lines for each function: its calls, those without a permission, and unused permissions."""
    yield "most in one invocation, count, call"
    for function in ROLES:
        yield f"\n{function}"
        for trigger, calls in record.get(function, {}).items():
            yield f"  {trigger} ({calls[ALL]['invocations']} invocations)"
            for call, counts in sorted(calls.items(), key=lambda each: (each[0] == ALL, each[0])):
                if counts["count"]:
                    yield f"    {counts['most']:>4} {counts['count']:>7}  {call}"
        missing, unused = compared(function, record)
        yield from (f"  NOT ALLOWED: {each}" for each in missing)
        yield from (f"  allowed, never used: {each}" for each in unused)


def main(folder: Path) -> int:
    """Writes and prints the report; returns the exit status."""
    lines = [
        line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()
    ]
    record = merged(lines)
    (folder / "calls.json").write_text(json.dumps(record, indent=1))
    sys.stdout.write("\n".join(report(record)) + "\n")
    return int(any(compared(function, record)[0] for function in ROLES))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
