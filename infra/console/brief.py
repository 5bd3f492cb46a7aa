"""Messages as a list of them shows them: without HTML, with the code and the length of an SMS."""

import math
from typing import Any

from functions.core.messages import segments
from infra.console.code import code_in
from infra.local.captured import Message

_OF_SEVERAL = {"GSM-7": 153, "UCS-2": 67}
"""Units in each of several segments: six octets are a header (3GPP TS 23.040 §9.2.3.24.1)."""


def brief(message: Message) -> Message:
    """The message without its HTML, with its `code`; an SMS with `segments: {alphabet, units,
    count}`.
    """
    kept = {name: value for name, value in message.items() if name != "html"}
    kept["code"] = code_in(message)
    is_sms = message["channel"] == "sms"
    return kept | ({"segments": _segments(str(message["text"] or ""))} if is_sms else {})


def _segments(text: str) -> dict[str, Any]:
    length = segments.length(text)
    count = 1 if length.one_segment else math.ceil(length.units / _OF_SEVERAL[length.alphabet])
    return {"alphabet": length.alphabet, "units": length.units, "count": count}
