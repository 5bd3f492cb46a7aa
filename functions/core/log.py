"""Structured logs and metrics (Powertools), kept free of tokens and whole destinations.

Codes are never given to the log at all; tokens and destinations that slip into a text, for instance in a provider's error,
are masked in the finished line.
"""

import re
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit, single_metric

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
"""The one logger. Its service name and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL."""


def count(metric: str, occurrences: int = 1, /, **dimensions: str) -> None:
    """Counts occurrences of `metric` (CloudWatch EMF, namespace POWERTOOLS_METRICS_NAMESPACE)."""
    with single_metric(name=metric, unit=MetricUnit.Count, value=occurrences) as one:
        for name, value in dimensions.items():
            one.add_dimension(name=name, value=value)
