"""Reads log lines from CloudWatch Logs, of a time span or as they arrive."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.logs.filters import LineFilter
from infra.logs.line import Line, LogEvent, Source, read_lines

LogsClient = Any
"""A boto3 client of CloudWatch Logs; its type is made at run time."""


def read(
    logs: LogsClient, sources: Iterable[Source], line_filter: LineFilter, start_ms: int, end_ms: int
) -> list[Line]:
    """Matching lines of a time span, oldest first."""
    matching: list[Line] = []
    for source in sources:
        lines = read_lines(source, _events(logs, source, line_filter, start_ms, end_ms))
        matching += [line for line in lines if line_filter.matches(line)]
    return sorted(matching, key=lambda line: line.at_ms)


class Tail:
    """Follows log groups. Lines may arrive out of order; none is missed or returned twice."""

    def __init__(
        self, logs: LogsClient, line_filter: LineFilter, since_ms: int, late_ms: int
    ) -> None:
        """`late_ms` is the delay with which a line may arrive after a newer one."""
        self._logs, self._filter, self._since_ms, self._late_ms = (
            logs,
            line_filter,
            since_ms,
            late_ms,
        )
        self._tails: dict[Source, _SourceTail] = {}

    def new(self, sources: Iterable[Source]) -> list[Line]:
        """Matching lines since the last call. A source that fails is read again next time."""
        matching: list[Line] = []
        for source in sources:
            tail = self._tails.setdefault(source, _SourceTail(self._since_ms, self._late_ms))
            try:
                events = tail.unseen(partial(_events, self._logs, source, self._filter))
            except (ClientError, BotoCoreError):
                continue
            matching += [line for line in read_lines(source, events) if self._filter.matches(line)]
        return sorted(matching, key=lambda line: line.at_ms)


class _SourceTail:
    def __init__(self, since_ms: int, late_ms: int) -> None:
        self._since_ms, self._late_ms = since_ms, late_ms
        self._seen: dict[tuple[object, ...], int] = {}
        """Times of the events that another read may return again."""

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
    """CloudWatch's event id. The emulator has none; there it is the place among equal events."""
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
    """Events of a group, read without listing groups: the emulator's list fails at times."""
    options = {"filterPattern": line_filter.pattern(source), "endTime": end_ms}
    set_options = {name: value for name, value in options.items() if value}
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=source.group, startTime=start_ms, **set_options
    )
    try:
        return [event for page in pages for event in page["events"]]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise
