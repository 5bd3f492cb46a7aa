"""Test destinations: for an app store's reviewers and for one's own tests, an exact list of destinations with fixed codes,
until an end date. Nothing is sent to them; all limits hold; their verifications are marked as tests.

Everybody who reads an app's review notes knows these codes. So only destinations that belong to nobody are accepted, unless
it is explicitly allowed otherwise.
"""

import re
from datetime import UTC, date, datetime

import msgspec

from functions.core import config
from functions.core.config import SettingsError
from functions.core.verification.destinations import Destination

RESERVED = re.compile(
    r"[^@]+@example\.(?:com|net|org)"  # RFC 2606 §3
    r"|\+1[2-9]\d{2}55501\d{2}"  # NANPA: 555-0100 to 555-0199 are for fiction
    r"|\+447700900\d{3}"  # Ofcom: telephone numbers for drama
    r"|\+33639980\d{3}"  # ARCEP: numbers for audiovisual works
)

_CODE = re.compile(r"[0-9A-Z]{6,10}")


@config.settings()
class DestinationTestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of test destinations, each a parameter of template.yaml; read from the environment."""

    test_destinations: tuple[str, ...] = ()
    """`<address>=<code>` each: an email address in lower case, or E.164."""
    test_destinations_until: date | None = None
    """Last day (UTC) on which they are test destinations."""
    test_destinations_anywhere: bool = False
    """Whether they may be destinations that belong to somebody."""

    def __post_init__(self) -> None:
        """Raises `SettingsError` for what fits each type but is no test destination."""
        self.codes()

    def codes(self) -> dict[str, str]:
        """Codes by address.

        Raises:
            SettingsError: with a sentence on the first entry that cannot be.
        """
        codes = {}
        for entry in self.test_destinations:
            address, _, code = entry.partition("=")
            _refuse_wrong(address, code, anywhere=self.test_destinations_anywhere)
            codes[address] = code
        if codes and self.test_destinations_until is None:
            raise SettingsError(
                "TEST_DESTINATIONS_UNTIL must be set with TEST_DESTINATIONS, such as 2026-12-31."
            )
        return codes


def fixed_code(destination: Destination, now: float) -> str | None:
    """The code of a test destination; null for every other one, and after the last day."""
    settings = config.read(DestinationTestSettings)
    until = settings.test_destinations_until or date.min
    if datetime.fromtimestamp(now, UTC).date() > until:
        return None
    return settings.codes().get(destination.address.lower())


def _refuse_wrong(address: str, code: str, *, anywhere: bool) -> None:
    if not _CODE.fullmatch(code):
        raise SettingsError(
            f"TEST_DESTINATIONS: {address} needs a code of 6 to 10 digits or capital letters."
        )
    if not (anywhere or RESERVED.fullmatch(address)):
        raise SettingsError(
            f"TEST_DESTINATIONS: {address} may belong to somebody. Use example.com or a number that is reserved for fiction, "
            "or set TEST_DESTINATIONS_ANYWHERE=true."
        )
