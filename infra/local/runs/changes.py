"""Changes of a table, by its stream, which the template's table has not."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.emulator import Emulator

Change = Mapping[str, Any]
"""Keys, OldImage and NewImage, in DynamoDB's JSON."""

_POLL_SECONDS = 1.0
_IMAGES = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def watch_changes(emulator: Emulator, table: str) -> Iterator[list[Change]]:
    """Yields the changes since the last time, at least once a second; never ends.

    The first ones are those since the emulator has started: a stream does not survive it.
    """
    stream = _Stream(emulator, table)
    while True:
        changes: list[Change] = []
        with suppress(
            ClientError, BotoCoreError
        ):  # the emulator is busy, or stopping, which ends this thread too
            changes = stream.read()
        yield changes
        if not changes:
            time.sleep(_POLL_SECONDS)


class _Stream:
    """A table's stream, switched on here."""

    def __init__(self, emulator: Emulator, table: str) -> None:
        self._streams = emulator.client("dynamodbstreams")
        dynamodb = emulator.client("dynamodb")
        about = dynamodb.describe_table(TableName=table)["Table"]
        if not about.get("StreamSpecification", {}).get("StreamEnabled"):
            with suppress(ClientError):  # another thread has switched it on
                dynamodb.update_table(TableName=table, StreamSpecification=_IMAGES)
            about = dynamodb.describe_table(TableName=table)["Table"]
        self._arn = about["LatestStreamArn"]
        self._position = self._start("TRIM_HORIZON")

    def read(self) -> list[Change]:
        """Changes since the last call."""
        try:
            page = self._streams.get_records(ShardIterator=self._position)
        except self._streams.exceptions.ExpiredIteratorException:  # the laptop slept
            self._position = self._start("LATEST")
            return []
        self._position = page["NextShardIterator"]
        return [record["dynamodb"] for record in page["Records"]]

    def _start(self, kind: str) -> str:
        (shard,) = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        place = {"StreamArn": self._arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind}
        return str(self._streams.get_shard_iterator(**place)["ShardIterator"])
