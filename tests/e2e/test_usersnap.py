"""Usersnap, switched on and off over HTTP with the roles of template.yaml."""

import base64

import httpx

from tests.e2e.conftest import LocalStack, keys_of

KEY = "01234567-89ab-4cde-8f01-23456789abcd"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def script(stack: LocalStack, **headers: str) -> httpx.Response:
    """The script as a page requests it, without a token."""
    return httpx.get(f"{stack.url}/usersnap.js", headers=headers, timeout=60)


def test_the_widget_is_on_every_page_while_it_is_switched_on(
    stack: LocalStack, api: httpx.Client
) -> None:
    assert api.post("/workflows/update_usersnap", json={"enabled": True}).status_code == 422
    assert (script(stack).status_code, script(stack).text) == (200, "")

    switched_on = api.post(
        "/workflows/update_usersnap", json={"enabled": True, "space_api_key": KEY}
    ).json()
    assert switched_on == {
        "enabled": True,
        "space_api_key": KEY,
        "portal_url": None,
        "forwarding": False,
    }
    served = script(stack)
    assert f"{KEY}?onload=onUsersnapCXLoad" in served.text
    assert served.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script(stack, **{"if-none-match": served.headers["etag"]}).status_code == 304

    api.post("/workflows/update_usersnap", json={"enabled": False})
    switched_off = script(stack, **{"if-none-match": served.headers["etag"]})
    assert (switched_off.status_code, switched_off.text) == (200, "")


def test_a_secret_of_the_portal_takes_the_place_of_the_stacks_own(
    stack: LocalStack, api: httpx.Client
) -> None:
    (made,) = keys_of(stack.secret("UsersnapPortalKeySecret"))
    assert len(base64.b64decode(made, validate=True)) == 33, "no key of Standard Webhooks"
    given = {"enabled": False, "portal_url": "https://portal.example.com", "portal_secret": SECRET}
    assert (
        api.post("/workflows/update_usersnap", json=given).json()["portal_url"]
        == "https://portal.example.com"
    )
    assert keys_of(stack.secret("UsersnapPortalKeySecret")) == [SECRET, made]
    assert not [line for line in stack.logs() if SECRET in line or made in line]
