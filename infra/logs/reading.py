"""Reads log lines from CloudWatch Logs: those of a span of time, and those that come after."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.logs.filters import LineFilter
from infra.logs.line import Line, LogEvent, Source, read_lines

LogsClient = Any
"""boto3's, of CloudWatch Logs; made at run time."""


def read(
    logs: LogsClient, sources: Iterable[Source], line_filter: LineFilter, start_ms: int, end_ms: int
) -> list[Line]:
    """LineFilter lines of a span of time, in their order."""
    found: list[Line] = []
    for source in sources:
        lines = read_lines(source, _events(logs, source, line_filter, start_ms, end_ms))
        found += [line for line in lines if line_filter.matches(line)]
    return sorted(found, key=lambda line: line.at_ms)


class Tail:
    """The lines that come. None is missed, and none is told twice, though lines may arrive out of their order."""

    def __init__(
        self, logs: LogsClient, line_filter: LineFilter, since_ms: int, late_ms: int
    ) -> None:
        """`late_ms`: how much later than one with a later time a line may arrive."""
        self._logs, self._filter, self._since_ms, self._late_ms = (
            logs,
            line_filter,
            since_ms,
            late_ms,
        )
        self._tails: dict[Source, _SourceTail] = {}

    def new(self, sources: Iterable[Source]) -> list[Line]:
        """LineFilter lines that have come since the last look. A source that fails is looked at again the next time."""
        found: list[Line] = []
        for source in sources:
            tail = self._tails.setdefault(source, _SourceTail(self._since_ms, self._late_ms))
            try:
                events = tail.unseen(partial(_events, self._logs, source, self._filter))
            except (ClientError, BotoCoreError):
                continue
            found += [line for line in read_lines(source, events) if self._filter.matches(line)]
        return sorted(found, key=lambda line: line.at_ms)


class _SourceTail:
    def __init__(self, since_ms: int, late_ms: int) -> None:
        self._since_ms, self._late_ms = since_ms, late_ms
        self._seen: dict[tuple[object, ...], int] = {}
        """Times by event, of the events that another look may give again."""

    def unseen(self, events_since: Callable[[int], list[LogEvent]]) -> list[LogEvent]:
        events, times = [], dict[tuple[object, ...], int]()
        for event in events_since(self._since_ms):
            key = _identity(event, times)
            times[key] = event["timestamp"]
            if key not in self._seen:
                events.append(event)
        self._seen |= times
        if self._seen:
            last = max(self._seen.values())
            settled = time.time() * 1000 - last > self._late_ms
            self._since_ms = max(self._since_ms, last + 1 if settled else last - self._late_ms)
            self._seen = {key: at for key, at in self._seen.items() if at >= self._since_ms}
        return events


def _identity(event: LogEvent, others: dict[tuple[object, ...], int]) -> tuple[object, ...]:
    """CloudWatch's id; an emulator gives none, so its place among equal ones of its stream."""
    if event.get("eventId"):
        return (event["eventId"],)
    key, place = (event.get("logStreamName"), event["timestamp"], event["message"]), 0
    while (*key, place) in others:
        place += 1
    return (*key, place)


def _events(
    logs: LogsClient,
    source: Source,
    line_filter: LineFilter,
    start_ms: int,
    end_ms: int | None = None,
) -> list[LogEvent]:
    """By group, without listing the groups: an emulator fails at that while any of them gets a new stream."""
    options = {"filterPattern": line_filter.pattern(source), "endTime": end_ms}
    asked = {name: value for name, value in options.items() if value}
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=source.group, startTime=start_ms, **asked
    )
    try:
        return [event for page in pages for event in page["events"]]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise
