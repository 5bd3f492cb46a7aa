import pytest

from functions.core import config
from functions.core.config import SettingsError
from functions.core.messages.rendering.branding import branding, contrast, text_color_on
from functions.core.messages.settings import MessageSettings
from tests.unit.conftest import SetMessages


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    "color",
    [f"#{r:02x}{g:02x}{b:02x}" for r in (0, 99, 255) for g in (0, 118, 255) for b in (0, 255)],
)
def test_text_is_readable_on_every_brand_color(color: str) -> None:
    assert contrast(text_color_on(color), color) >= 4.5


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("help@example.com", "mailto:help@example.com"),
        ("https://example.com/@help", "https://example.com/@help"),
    ],
)
def test_the_support_address_is_a_link(address: str, url: str, set_messages: SetMessages) -> None:
    set_messages(support_address=address)
    assert branding().support_url == url


@pytest.mark.parametrize(
    "wrong",
    [
        {"brand_color": "red"},
        {"brand_color": "#fff"},
        {"brand_color": "#ffffff;x:url(y)"},
        {"support_address": "javascript:alert(1)"},
        {"support_address": "http://example.com"},
        {"support_address": "nobody"},
        {"support_address": "https://help.example.com/)https://evil.example"},
        {"support_address": "https://help.example.com/'x"},
        {"web_domain": "https://example.com"},
        {"web_domain": "Example.com"},
        {"web_domain": "a" * 41},
        {"android_app_hash": "short"},
        {"android_app_hash": "FA+9qCX9VS="},
        {"code_in_subject": "perhaps"},
        {"app_name": "x" * 41},
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(wrong: dict[str, str], set_messages: SetMessages) -> None:
    set_messages(**wrong)
    with pytest.raises(SettingsError, match=next(iter(wrong)).upper()):
        config.read(MessageSettings)
