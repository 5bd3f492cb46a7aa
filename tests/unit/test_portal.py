"""Format of the client portal's URL and key."""

import base64

import pytest

from functions.core import config
from functions.core.workflow import NotValid
from functions.workflows.update_usersnap.portal import PortalSecret, PortalUrl


@pytest.mark.parametrize(
    "url",
    [
        "https://portal.example.com",
        "https://portal.example.com/",
        "https://Portal.Example.com:443/hooks/feedback?app=1&key=%20",
        "https://xn--bcher-kva.example/a",
        "https://bücher.example/",
        "https://1.2.example",
        "none",
    ],
)
def test_a_portal_is_reached_over_https_by_its_name(url: str) -> None:
    assert PortalUrl.read(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example.com",
        "https://",
        "portal.example.com",
        "HTTP://portal.example.com",
        "https://portal.example.com:8443/",
        "https://user@portal.example.com/",
        "https://user:word@portal.example.com/",
        "https://portal.example.com/#part",
        "https://portal.example.com\\@evil.example/",
        "https://portal.example.com/ x",
        "https://portal.example.com/\n",
        "https://portal.example.com/ä",
        "https://localhost/",
        "https://portal.example.com./",
        "https://-portal.example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fd00:ec2::254]/",
        "https://portal.example.com/" + "x" * 2000,
        "NONE",
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(NotValid, match="must be an https URL"):
        PortalUrl.read(url)


LOCAL = ["http://127.0.0.1:9000/hook", "http://localhost:9000"]


@pytest.mark.parametrize("url", LOCAL)
def test_only_the_local_stack_has_portals_on_this_machine(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotValid):
        PortalUrl.read(url)
    monkeypatch.setenv("LOCAL_RECEIVERS", "true")
    config.reset()
    assert PortalUrl.read(url) == url


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://127.0.0.2:9000/", "http://localhost:9000@evil.example/"]
)
def test_the_local_stack_has_portals_nowhere_else(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RECEIVERS", "true")
    config.reset()
    with pytest.raises(NotValid):
        PortalUrl.read(url)


def encoded(count: int) -> str:
    return base64.b64encode(b"\xfb" * count).decode()


@pytest.mark.parametrize(
    "secret", ["whsec_" + encoded(24), encoded(32), "whsec_" + encoded(64), "a" * 44]
)
def test_a_key_of_standard_webhooks_is_taken_as_it_is(secret: str) -> None:
    assert PortalSecret.read(secret) == secret


@pytest.mark.parametrize(
    "secret",
    [
        "whsec_",
        "whsec_" + encoded(23),
        "whsec_" + encoded(65),
        "whsec_" + encoded(32) + "\n",
        "whsec_" + encoded(32).rstrip("="),
        "whsec_" + encoded(33).replace("+", "-"),
        "whsec_" + "ä" * 44,
        "whsec_whsec_" + encoded(32),
        "a secret that is no base64 at all",
    ],
)
def test_any_other_secret_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(NotValid) as refused:
        PortalSecret.read(secret)
    assert (
        str(refused.value)
        == "must be a key of Standard Webhooks: whsec_ and the base64 of 24 to 64 bytes"
    )
