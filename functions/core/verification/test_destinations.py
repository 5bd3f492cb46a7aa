"""Test destinations with fixed codes, for an app store's reviewers and for tests of one's own.

They are an exact list with an end date. Nothing is sent to them, and their verifications are marked
as tests. All limits hold, but for a server's sends to those that belong to nobody: for these there
is neither cooldown nor hour, so that its tests can run.

Everybody who reads an app's review notes knows these codes. So a test destination must belong to
nobody, unless a setting allows others.
"""

import re
from datetime import UTC, date, datetime, timedelta

import msgspec

from functions.core import clock, config
from functions.core.config import SettingsError
from functions.core.verification.destinations import Destination

RESERVED = re.compile(
    r"[^@]+@example\.(?:com|net|org)"  # RFC 2606 §3
    r"|\+1[2-9]\d{2}55501\d{2}"  # NANPA: 555-0100 to 555-0199 are for fiction
    r"|\+447700900\d{3}"  # Ofcom: telephone numbers for drama
    r"|\+33639980\d{3}"  # ARCEP: numbers for audiovisual works
)

LONGEST = timedelta(days=400)
"""Longest time to the last day: a year and a release, so that nobody forgets them for good."""

_CODE = re.compile(r"[0-9A-Z]{6,10}")


@config.settings("test_destinations")
class DestinationTestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of test destinations. functions/settings.toml describes them."""

    test_destinations: tuple[str, ...] = ()
    """Entries `<address>=<code>`; the address is an email address in lower case, or E.164."""
    test_destinations_until: date | None = None
    """Last day (UTC) on which they are test destinations, at most 400 days ahead."""
    test_destinations_anywhere: bool = False
    """Whether test destinations may belong to somebody."""

    def __post_init__(self) -> None:
        """Raises `SettingsError` for what fits each type but is no test destination."""
        self.codes()
        latest = _day(clock.now()) + LONGEST
        if (self.test_destinations_until or date.min) > latest:
            raise SettingsError(
                f"TEST_DESTINATIONS_UNTIL may be {LONGEST.days} days ahead, today until {latest}."
            )

    def codes(self) -> dict[str, str]:
        """Returns the codes by address.

        Raises:
            SettingsError: with a sentence on the first wrong entry.
        """
        codes = {}
        for entry in self.test_destinations:
            address, _, code = entry.partition("=")
            _validate_entry(address, code, anywhere=self.test_destinations_anywhere)
            codes[address] = code
        if codes and self.test_destinations_until is None:
            raise SettingsError(
                "TEST_DESTINATIONS_UNTIL must be set with TEST_DESTINATIONS, such as 2026-12-31."
            )
        return codes


def fixed_code(destination: Destination, now: float) -> str | None:
    """Returns the code of a test destination; null for all others, and after the last day."""
    settings = config.read(DestinationTestSettings)
    until = settings.test_destinations_until or date.min
    if _day(now) > until:
        return None
    return settings.codes().get(destination.address)


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def belongs_to_nobody(destination: Destination) -> bool:
    """Whether a destination is reserved for fiction."""
    return RESERVED.fullmatch(destination.address.lower()) is not None


def _validate_entry(address: str, code: str, *, anywhere: bool) -> None:
    if not _CODE.fullmatch(code):
        raise SettingsError(
            f"TEST_DESTINATIONS: {address} needs a code of 6 to 10 digits or capital letters."
        )
    if not (anywhere or RESERVED.fullmatch(address)):
        raise SettingsError(
            f"TEST_DESTINATIONS: {address} may belong to somebody. Use example.com or a number "
            "that is reserved for fiction, or set TEST_DESTINATIONS_ANYWHERE=true."
        )
