"""Structured logs and metrics (Powertools), kept free of tokens and whole destinations.

Codes are never given to the log at all; tokens and destinations that slip into a text, for instance
in a provider's error, are masked in the finished line.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import (
    RESERVED_LOG_ATTRS,
    LambdaPowertoolsFormatter,
)
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.base import SingleMetric

from functions.core import clock, config
from functions.core.errors import TooSlow

_TOKEN = re.compile(r"wf_[A-Za-z0-9_-]{8,}")
# Each match is bounded, so that a long line costs time in proportion to its length.
_EMAIL = re.compile(r"(?<![\w.+-])([\w.+-])[\w.!#$%&'*/=?^`{|}~+-]{0,63}@([\w.-]{1,253})")
_PHONE = re.compile(r"\+\d(?:[ ().-]{0,2}\d){4,12}[ ().-]{0,2}(\d{2})(?!\d)")


def scrub(text: str) -> str:
    """Masks every token, email address and E.164 number in a text."""
    text = _TOKEN.sub("wf_***", text)
    if "@" in text:  # to search for an address is most of the work
        text = _EMAIL.sub(r"\1**@\2", text)
    return _PHONE.sub(r"+***\1", text)


class _ScrubbingFormatter(LambdaPowertoolsFormatter):
    """Powertools' lines, scrubbed.

    A plain message, which is nearly every line, takes fewer steps to the same text: Powertools
    would parse it as JSON and copy all its fields three times (decision 94).
    """

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info or record.args or not _is_plain(record.msg):
            return super().format(record)
        record.asctime = self.formatTime(record)
        keys, fields = self.log_format | self.thread_safe_get_current_keys(), record.__dict__
        try:
            line = {
                key: value % fields if value and key in _RESERVED else value
                for key, value in keys.items()
            }
        except TypeError:  # a key that Powertools refuses, with a better error
            return super().format(record)
        line |= {key: value for key, value in fields.items() if key not in _RESERVED}
        line |= {"message": record.msg, "stack_trace": None}
        line |= {"xray_trace_id": self._get_latest_trace_id()}
        return self.serialize({key: value for key, value in line.items() if value is not None})

    def serialize(self, log: Any) -> str:  # noqa: ANN401 - Powertools' own LogRecord alias, not exported
        return scrub(super().serialize(log))


_RESERVED = frozenset(RESERVED_LOG_ATTRS)


_JSON_WORDS = frozenset({"true", "false", "null", "NaN", "Infinity"})


def _is_plain(message: object) -> bool:
    """Whether a message is a text that cannot be JSON."""
    return (
        isinstance(message, str) and message[:1].isalpha() and message.rstrip() not in _JSON_WORDS
    )


_formatter = _ScrubbingFormatter(use_rfc3339=True, utc=True, location=None)

logger = Logger(logger_formatter=_formatter)
"""The one logger.

Its service name and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL.
"""


@contextmanager
def logged(**keys: object) -> Iterator[None]:
    """Adds keys to every line of one call, including its threads and an author's own logger.

    The next call of the process starts without them.
    """
    _formatter.append_keys(**keys)
    try:
        yield
    finally:
        _formatter.thread_safe_clear_keys()
        _formatter.log_format = _KEYS.copy()


_MOST_METRICS = 100
"""Lines of metrics that are kept, one for each metric with its dimensions."""


def count(metric: str, occurrences: int = 1, /, **dimensions: str) -> None:
    """Counts occurrences of `metric` (CloudWatch EMF, namespace POWERTOOLS_METRICS_NAMESPACE).

    Never fails the call, whose work is done: an error while writing the metric is logged instead.
    """
    try:
        made = _metric(metric, **dimensions)
        about = made["_aws"] | {"Timestamp": int(clock.now() * 1000)}
        line = made | {"_aws": about, metric.strip(): [float(occurrences)]}
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    except TooSlow:  # the deadline may strike anywhere, and it is no fault of the metric
        raise
    except Exception:
        logger.warning("metric not written; the call goes on", metric=metric, exc_info=True)


@config.cached(most=_MOST_METRICS)
def _metric(metric: str, /, **dimensions: str) -> dict[str, Any]:
    """A metric's line as Powertools makes it, with the time of its first occurrence.

    Kept, because Powertools takes 0.05 ms to make it (decision 94).

    Raises:
        Exception: one of Powertools' for what CloudWatch would refuse.
    """
    made = SingleMetric()
    made.add_metric(metric, MetricUnit.Count, 1)
    for name, value in dimensions.items():
        made.add_dimension(name, value)
    line: dict[str, Any] = made.serialize_metric_set()
    return line


def _adopt_modules() -> None:
    """Gives `logging.getLogger(__name__)` in functions/ the format and the keys of `logger`."""
    logging.getLogger(__name__.partition(".")[0])
    copy_config_to_registered_loggers(logger, include={__name__.partition(".")[0]})
    logger.remove_keys(["name"])


_adopt_modules()

_KEYS = _formatter.log_format.copy()
"""Keys of every line, between calls."""
