"""Branding: what makes a message look like the app's own, from the settings."""

from typing import NamedTuple

from functions.core import config
from functions.core.messages.settings import MessageSettings

_BLACK, _WHITE = "#000000", "#ffffff"


class Branding(NamedTuple):
    """What templates know as `brand`."""

    app_name: str
    color: str
    """`#rrggbb`, a background."""
    text_color: str
    """What is read best on it."""
    support: str
    """Where people find help: an email address, an https URL, or nothing."""

    @property
    def support_url(self) -> str:
        """What a link to the support address goes to."""
        return self.support if self.support.startswith("https://") else f"mailto:{self.support}"


def branding() -> Branding:
    """The branding of this deployment."""
    about = config.read(MessageSettings)
    return Branding(
        about.app_name, about.brand_color, text_color_on(about.brand_color), about.support_address
    )


def text_color_on(background: str) -> str:
    """Black or white, whichever contrasts more; one of them always reaches 4.5:1, which text needs (WCAG 2.2, 1.4.3)."""
    return max(_BLACK, _WHITE, key=lambda color: contrast(color, background))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio: 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """WCAG 2.2, relative luminance of `#rrggbb`."""
    red, green, blue = (_linear(int(color[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB
