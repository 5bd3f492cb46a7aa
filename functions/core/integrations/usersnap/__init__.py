"""Usersnap: whether the app has its feedback widget, and where feedback goes."""

from functions.core.integrations.usersnap.app_setting import (
    NO_PORTAL,
    AppSetting,
    SpaceApiKey,
    Usersnap,
    read,
    update,
)

__all__ = ["NO_PORTAL", "AppSetting", "SpaceApiKey", "Usersnap", "read", "update"]
