"""Usersnap's setting: the feedback widget and the portal.

One item, changed by one atomic update.
"""

import re
from typing import Any, Self

import msgspec
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from functions.core.aws import dynamodb
from functions.core.config import table_name
from functions.core.parameters import NotValid, ValidatedStr

NO_PORTAL = "none"
"""Value of a portal's URL that removes the portal; an absent value keeps the stored one."""

_NAME = "usersnap"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class SpaceApiKey(ValidatedStr):
    """API key of a Usersnap space, with which the widget is loaded. No secret: pages show it."""

    @classmethod
    def read(cls, text: str) -> Self:
        """A UUID in lower case. Strict, because it becomes part of a script. Raises `NotValid`."""
        if not _UUID.fullmatch(text):
            raise NotValid("must be the API key of a Usersnap space, a UUID in lower case")
        return cls(text)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The UUID."""
        return {
            "pattern": f"^{_UUID.pattern}$",
            "examples": ["01234567-89ab-4cde-8f01-23456789abcd"],
        }


class Usersnap(msgspec.Struct, frozen=True, kw_only=True):
    """The present setting."""

    enabled: bool = False
    """Whether the widget is loaded."""
    space_api_key: str | None = None
    portal_url: str | None = None

    @property
    def forwarding(self) -> bool:
        """Whether feedback goes to the client portal."""
        return self.enabled and self.portal_url is not None


class AppSetting(dynamodb.Table):
    """The stored setting."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("APP_SETTINGS_TABLE")

    name = UnicodeAttribute(hash_key=True)
    enabled = BooleanAttribute()
    space_api_key = UnicodeAttribute(null=True)
    portal_url = UnicodeAttribute(null=True)

    @property
    def usersnap(self) -> Usersnap:
        """The setting as a value."""
        return Usersnap(
            enabled=self.enabled, space_api_key=self.space_api_key, portal_url=self.portal_url
        )


def read() -> Usersnap:
    """The present setting; off by default. 1 DynamoDB request.

    Raises:
        Unavailable: when DynamoDB is.
    """
    with dynamodb.unavailable_if_transient():
        try:
            return AppSetting.get(_NAME, consistent_read=True).usersnap
        except AppSetting.DoesNotExist:
            return Usersnap()


def update(
    *, enabled: bool, space_api_key: str | None = None, portal_url: str | None = None
) -> Usersnap:
    """Changes the setting and returns it. Null arguments keep the stored value. 1 DynamoDB request.

    Args:
        enabled: whether the widget is loaded; needs a key, here or stored. A stored key is never
            removed.
        space_api_key: a `SpaceApiKey`.
        portal_url: URL of the client portal, or `NO_PORTAL`.

    Raises:
        Unavailable: when DynamoDB is.
    """
    actions: list[Action] = [AppSetting.enabled.set(enabled)]
    if space_api_key:
        actions.append(AppSetting.space_api_key.set(space_api_key))
    if portal_url:
        remove = portal_url == NO_PORTAL
        actions.append(
            AppSetting.portal_url.remove() if remove else AppSetting.portal_url.set(portal_url)
        )
    setting = AppSetting(_NAME)
    with dynamodb.unavailable_if_transient():
        setting.update(actions)
    return setting.usersnap
