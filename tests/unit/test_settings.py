from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from functions.core.config import SettingsError, read_from


class Example(msgspec.Struct, frozen=True, kw_only=True):
    table: str
    length: Annotated[int, Meta(ge=6, le=10)] = 6
    countries: tuple[str, ...] = ()


def test_settings_are_read_by_name_and_converted() -> None:
    read = read_from(Example, {"TABLE": "t", "LENGTH": "8", "COUNTRIES": "DE, FR"})
    assert read == Example(table="t", length=8, countries=("DE", "FR"))


def test_an_empty_variable_is_absent() -> None:
    assert read_from(Example, {"TABLE": "t", "LENGTH": " "}) == Example(table="t")


def test_each_wrong_setting_gets_a_sentence() -> None:
    with pytest.raises(SettingsError) as caught:
        read_from(Example, {"LENGTH": "5"})
    assert str(caught.value) == "Example: TABLE is not set. LENGTH: expected int >= 6."
