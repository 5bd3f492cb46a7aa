"""Branding: name, colours and support address of the app, from the settings."""

from typing import NamedTuple

from functions.core import config
from functions.core.messages.settings import MessageSettings

_BLACK, _WHITE = "#000000", "#ffffff"


class Branding(NamedTuple):
    """Branding as templates know it, by the name `brand`."""

    app_name: str
    color: str
    """Background colour, `#rrggbb`."""
    text_color: str
    """Text colour with the best contrast on the background."""
    support: str
    """Support address: an email address, an https URL, or empty."""

    @property
    def support_url(self) -> str:
        """URL of a link to the support address."""
        return self.support if self.support.startswith("https://") else f"mailto:{self.support}"


def branding() -> Branding:
    """Returns the branding of this deployment."""
    about = config.read(MessageSettings)
    return Branding(
        about.app_name, about.brand_color, text_color_on(about.brand_color), about.support_address
    )


def text_color_on(background: str) -> str:
    """Returns black or white, whichever contrasts more.

    One of them always reaches 4.5:1, which text needs (WCAG 2.2, 1.4.3).
    """
    return max(_BLACK, _WHITE, key=lambda color: contrast(color, background))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    red, green, blue = (_linear(int(color[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    linear_up_to = 0.04045  # sRGB
    return channel / 12.92 if channel <= linear_up_to else ((channel + 0.055) / 1.055) ** 2.4
