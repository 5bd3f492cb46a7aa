"""Structured logs and metrics (Powertools), kept free of tokens and whole destinations.

Codes are never given to the log at all; tokens and destinations that slip into a text, for instance
in a provider's error, are masked in the finished line.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from functions.core.errors import TooSlow

_TOKEN = re.compile(r"wf_[A-Za-z0-9_-]{8,}")
# Each match is bounded, so that a long line costs time in proportion to its length.
_EMAIL = re.compile(r"(?<![\w.+-])([\w.+-])[\w.!#$%&'*/=?^`{|}~+-]{0,63}@([\w.-]{1,253})")
_PHONE = re.compile(r"\+\d(?:[ ().-]{0,2}\d){4,12}[ ().-]{0,2}(\d{2})(?!\d)")


def scrub(text: str) -> str:
    """Masks every token, email address and E.164 number in a text."""
    text = _TOKEN.sub("wf_***", text)
    text = _EMAIL.sub(r"\1**@\2", text)
    return _PHONE.sub(r"+***\1", text)


class _ScrubbingFormatter(LambdaPowertoolsFormatter):
    def serialize(self, log: Any) -> str:  # noqa: ANN401 - Powertools' own LogRecord alias, not exported
        return scrub(super().serialize(log))


logger = Logger(logger_formatter=_ScrubbingFormatter(use_rfc3339=True, utc=True, location=None))
"""The one logger.

Its service name and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL.
"""


@contextmanager
def logged(**keys: object) -> Iterator[None]:
    """Adds keys to every line of one call, including its threads and an author's own logger.

    The next call of the process starts without them.
    """
    logger.append_keys(**keys)
    try:
        yield
    finally:
        logger.clear_state()


def count(metric: str, occurrences: int = 1, /, **dimensions: str) -> None:
    """Counts occurrences of `metric` (CloudWatch EMF, namespace POWERTOOLS_METRICS_NAMESPACE).

    Never fails the call, whose work is done: an error while writing the metric is logged instead.
    """
    try:
        with single_metric(name=metric, unit=MetricUnit.Count, value=occurrences) as one:
            for name, value in dimensions.items():
                one.add_dimension(name=name, value=value)
    except TooSlow:  # the deadline may strike anywhere, and it is no fault of the metric
        raise
    except Exception:
        logger.warning("metric not written; the call goes on", metric=metric, exc_info=True)


def _adopt_modules() -> None:
    """Gives `logging.getLogger(__name__)` in functions/ the format and the keys of `logger`."""
    logging.getLogger(__name__.partition(".")[0])
    copy_config_to_registered_loggers(logger, include={__name__.partition(".")[0]})
    logger.remove_keys(["name"])


_adopt_modules()
