"""Message settings, as the unit tests set them."""

from tests.unit.conftest import set_messages

__all__ = ["set_messages"]
