"""Plain reasons for a failed delivery, in place of the providers' words. Pure."""

from typing import Literal

FailureReason = Literal[
    "opted_out",
    "unreachable",
    "mailbox_full",
    "rejected",
    "suppressed",
    "busy",
    "no_answer",
    "other",
]

_PLAIN: dict[str, FailureReason] = {
    "Permanent/General": "unreachable",
    "Permanent/NoEmail": "unreachable",
    "Permanent/Suppressed": "suppressed",
    "Permanent/OnAccountSuppressionList": "suppressed",
    "Transient/MailboxFull": "mailbox_full",
    "Transient/MessageTooLarge": "rejected",
    "Transient/ContentRejected": "rejected",
    "Transient/AttachmentRejected": "rejected",
    "Bad content": "rejected",
    "21610": "opted_out",  # the recipient replied STOP
    "30003": "unreachable",  # the phone is switched off or out of reach
    "30004": "rejected",  # the recipient's phone or carrier blocks the message
    "30005": "unreachable",  # an unknown or inactive number
    "30006": "unreachable",  # a landline, or a carrier out of reach
    "30007": "rejected",  # filtered by a carrier
    "63003": "unreachable",  # no such user of WhatsApp
    "63014": "opted_out",  # the recipient blocked the sender
    "63024": "unreachable",  # as 63003
    "busy": "busy",
    "no-answer": "no_answer",
}
"""Reasons by a provider's word, as track_delivery records it.

Source: SES, bounceType/bounceSubType and reject.reason ("Contents of event data that Amazon SES
publishes"); Twilio, ErrorCode ("Error and Warning Dictionary") and CallStatus.
"""


def plain_reason(word: str | None) -> FailureReason:
    """The reason that a provider's word stands for; `other` where it tells people nothing."""
    return _PLAIN.get(word or "", "other")
