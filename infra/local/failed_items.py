"""Reports failed items of runs. Their table's stream has all, also those without a log."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.emulator import Emulator
from infra.local.terminal import say

_POLL_SECONDS = 1.0
_IMAGES = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def report_failed_items(emulator: Emulator, table: str) -> None:
    """Prints a line for each item that fails from now on."""
    for line in watch_failed_items(emulator, table):
        say(line, "error")


def watch_failed_items(emulator: Emulator, table: str) -> Iterator[str]:
    """Yields a line for each item that fails from now on; never ends."""
    stream = _Stream(emulator, table)
    while True:
        records: list[dict[str, Any]] = []
        with suppress(
            ClientError, BotoCoreError
        ):  # the emulator is busy, or stopping, which ends this thread too
            records = stream.read()
        yield from (
            failure_line(record["dynamodb"]) for record in records if has_failed(record["dynamodb"])
        )
        if not records:
            time.sleep(_POLL_SECONDS)


class _Stream:
    """A table's stream, switched on here since the template's table has none."""

    def __init__(self, emulator: Emulator, table: str) -> None:
        self._streams = emulator.client("dynamodbstreams")
        dynamodb = emulator.client("dynamodb")
        about = dynamodb.describe_table(TableName=table)["Table"]
        if not about.get("StreamSpecification", {}).get("StreamEnabled"):
            about = dynamodb.update_table(TableName=table, StreamSpecification=_IMAGES)[
                "TableDescription"
            ]
        self._arn = about["LatestStreamArn"]
        self._position = self._latest()

    def read(self) -> list[dict[str, Any]]:
        """Records since the last call."""
        try:
            page = self._streams.get_records(ShardIterator=self._position)
        except self._streams.exceptions.ExpiredIteratorException:  # the laptop slept
            self._position = self._latest()
            return []
        self._position = page["NextShardIterator"]
        records: list[dict[str, Any]] = page["Records"]
        return records

    def _latest(self) -> str:
        (shard,) = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        place = {"StreamArn": self._arn, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST"}
        return str(self._streams.get_shard_iterator(**place)["ShardIterator"])


def has_failed(change: Mapping[str, Any]) -> bool:
    """True if an item fails with this change."""
    before, after = (
        change.get(image, {}).get("status", {}).get("S") for image in ("OldImage", "NewImage")
    )
    return bool(after == "failed" != before)


def failure_line(change: Mapping[str, Any]) -> str:
    """Line with workflow, run, index and problem."""
    item = change["NewImage"]
    run_id, index = item["run_id"]["S"], item["index"]["N"]
    problem = json.loads(item["problem"]["S"]) if "problem" in item else {}
    why = f"{problem.get('code', 'no problem was kept')}: {problem.get('detail', '')}"
    workflow = run_id.partition(".")[0]
    return f"{workflow}: item {index} of run {run_id} failed: {why} (make logs RUN={run_id})"
