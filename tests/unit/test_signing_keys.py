import pytest

from functions.core.config import SettingsError
from functions.core.signing.keys import read_keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [("one\n", ("one",)), ('["new", "old"]', ("new", "old")), ('["one"]', ("one",))],
)
def test_a_secret_holds_a_key_or_two(text: str, keys: tuple[str, ...]) -> None:
    assert read_keys(text) == keys


@pytest.mark.parametrize(
    "text", ["", " ", "[]", '["a", "b", "c"]', '["a", ""]', '["secret', '["secret", 1]']
)
def test_any_other_text_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_keys(text)
    assert 'secret"' not in str(refused.value)
