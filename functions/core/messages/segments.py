"""Length of an SMS: in GSM-7 if its alphabet has every character, else in UCS-2.

Two segments cost twice and arrive apart, and some phones read no code from them.
"""

from typing import Literal, NamedTuple

# 3GPP TS 23.038 §6.2.1, the default alphabet.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038 §6.2.1.1, the extension table: an escape and a character.
_EXTENSION = frozenset("\f^{}\\[~]|€")

_ONE_SEGMENT = {"GSM-7": 160, "UCS-2": 70}
"""Units that fit in the 140 octets of one message (3GPP TS 23.040 §9.2.3.24.1).

Units are septets or UTF-16 code units.
"""


class Length(NamedTuple):
    """Length of an SMS in units of the alphabet that it needs."""

    alphabet: Literal["GSM-7", "UCS-2"]
    units: int

    @property
    def one_segment(self) -> bool:
        """Whether the SMS is one segment."""
        return self.units <= _ONE_SEGMENT[self.alphabet]


def length(text: str) -> Length:
    """Returns the alphabet and the number of units that a text needs as an SMS."""
    characters = set(text)
    if characters <= _BASIC | _EXTENSION:
        return Length("GSM-7", len(text) + sum(character in _EXTENSION for character in text))
    return Length("UCS-2", len(text.encode("utf-16-be")) // 2)
