"""Workflows that wake others: `wake` sends an event to the items that wait for it.

    from functions.core.workflow import wake

    def payment_came(payment: Payment) -> Told:
        return Told(woken=wake("order.paid", key=payment.order, data={"cents": payment.cents}))

The role of the workflow needs the policy `- *wakes_items` in template.yaml.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from functions.core import clock
from functions.core.parameters import encode_validated, read_parameters
from functions.core.runs.items import event_box
from functions.core.runs.items.event_box import KeyedEvent


def wake(event: str, *, key: str, data: Mapping[str, Any] | None = None, once: bool = False) -> int:
    """Sends an event to all items that wait for it with a key; returns the number that it wakes.

    An item of a run that has started, and waits later, finds the event, too, for 30 days. An item
    that sends one does so in a step, because a later try would send it again.

    Args:
        event: type, such as `user.activated`.
        key: text with which the items wait, up to 256 characters.
        data: JSON values that they get, up to 200 KB.
        once: for a decision. The event counts only while an item waits for it, and as the first
            with its key; any other is not kept, and wakes none: 0. The first one again, with the
            same data, is no other.

    Raises:
        InvalidParameters: the type, the key or the data are not valid.
        Unavailable
    """
    values = {"type": event, "key": key, "data": dict(data or {})}
    plain = msgspec.to_builtins(values, enc_hook=encode_validated)
    return event_box.wake(read_parameters(KeyedEvent, plain), clock.now(), once=once)
