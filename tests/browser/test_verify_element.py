"""`<verify-code>` of verify.js, in an app's page of another origin."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from infra.local.development import PUBLISHABLE
from tests.browser.accessibility import assert_fits, axe
from tests.browser.chromium import PHONE
from tests.browser.faults import Faults
from tests.browser.site import Site
from tests.e2e.conftest import LocalStack

OpenForm = Callable[..., None]


@pytest.fixture
def open_form(page: Page, site: Site, stack: LocalStack) -> OpenForm:
    """Opens a page with a form that contains the element."""

    def open_form(attributes: str = "", language: str = "en", more: str = "") -> None:
        element = f'<verify-code name="proof" token="{PUBLISHABLE}" {attributes}></verify-code>'
        form = f'<form id="sign-up" action="/done">{element}<button>Sign up</button></form>'
        script = f'<script type="module" src="{stack.url}/verify.js"></script>{more}'
        page.goto(site.page(f'<div lang="{language}">{script}{form}</div>'))

    return open_form


def send(page: Page, to: str) -> None:
    page.get_by_label("Email address").fill(to)
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_text("Enter the code that we sent to")).to_contain_text(to)


def paste(page: Page, text: str) -> None:
    """Pastes into the field that has the focus, from the clipboard and by its keys."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("ControlOrMeta+V")


def form_value(page: Page) -> str | None:
    value: str | None = page.evaluate(
        "new FormData(document.getElementById('sign-up')).get('proof')"
    )
    return value


def other(code: str) -> str:
    """A code that is wrong."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def test_an_address_is_verified_with_a_pasted_code_and_the_form_has_the_verification(
    page: Page, stack: LocalStack, email: str, open_form: OpenForm
) -> None:
    open_form("required")
    page.get_by_label("Email address").focus()
    assert not page.evaluate("document.getElementById('sign-up').checkValidity()")
    send(page, email)
    code = page.get_by_label("Code")
    expect(code).to_be_focused()
    expect(code).to_have_attribute("inputmode", "numeric")
    expect(code).to_have_attribute("autocomplete", "one-time-code")
    axe(page)

    sent = stack.code(email)
    paste(page, f"Your code is {sent[:3]} {sent[3:]}")
    expect(page.get_by_role("status")).to_contain_text(f"{email}")
    expect(page.get_by_role("status")).to_contain_text("is verified")
    axe(page)
    assert str(form_value(page)).startswith("k")
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(re.compile(r"/done\?proof=k"))


def test_a_typed_code_is_checked_without_a_click(
    page: Page, stack: LocalStack, email: str, open_form: OpenForm
) -> None:
    open_form()
    send(page, email)
    page.keyboard.type(stack.code(email))
    expect(page.get_by_role("status")).to_contain_text("is verified")


def test_a_wrong_code_says_how_many_attempts_are_left_and_a_right_one_follows(
    page: Page, stack: LocalStack, email: str, open_form: OpenForm
) -> None:
    open_form()
    send(page, email)
    code = stack.code(email)
    paste(page, other(code))
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong. Attempts left: ")
    expect(page.get_by_role("alert")).to_contain_text("4")
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    axe(page)
    page.get_by_label("Code").fill(code)
    expect(page.get_by_role("status")).to_contain_text("is verified")


def test_a_code_can_be_sent_again_when_the_countdown_ends(
    page: Page, email: str, open_form: OpenForm
) -> None:
    page.clock.install()
    open_form()
    send(page, email)
    waiting = page.get_by_role("button", name="Send again in")
    expect(waiting).to_be_disabled()
    before = _seconds(waiting.inner_text())
    page.clock.run_for(5_000)
    expect(waiting).not_to_have_text(f"Send again in {before} seconds")
    assert before - 7 <= _seconds(waiting.inner_text()) <= before - 5
    page.clock.run_for(before * 1000)
    expect(page.get_by_role("button", name="Send again", exact=True)).to_be_enabled()


def test_a_send_that_comes_too_early_says_when_the_next_one_is_accepted(
    page: Page, stack: LocalStack, email: str, open_form: OpenForm, faults: Faults
) -> None:
    with stack.api(PUBLISHABLE) as api:
        api.post("/workflows/verify_send", json={"channel": "email", "to": email})
    open_form()
    page.get_by_label("Email address").fill(email)
    with faults.expected("status of 429"):
        page.get_by_role("button", name="Send code").click()
        expect(page.get_by_role("alert")).to_contain_text("Too many requests. Try again in")
    expect(page.get_by_role("alert")).to_contain_text("seconds")


def test_a_mistyped_domain_gets_a_suggestion(page: Page, open_form: OpenForm) -> None:
    open_form()
    page.get_by_label("Email address").fill("ana@gmial.com")
    suggestion = page.get_by_role("button", name="Did you mean")
    expect(suggestion).to_contain_text("ana@gmail.com")
    axe(page)
    suggestion.click()
    expect(page.get_by_label("Email address")).to_have_value("ana@gmail.com")
    expect(suggestion).to_be_hidden()


def test_an_address_that_is_none_is_told(page: Page, open_form: OpenForm, faults: Faults) -> None:
    open_form()
    page.get_by_label("Email address").fill("ana@")
    with faults.expected("status of 422"):
        page.get_by_role("button", name="Send code").click()
        expect(page.get_by_role("alert")).to_contain_text("Enter an email address")
    expect(page.get_by_label("Email address")).to_be_focused()


def test_an_address_can_be_changed_and_the_form_reset(
    page: Page, email: str, open_form: OpenForm
) -> None:
    open_form()
    send(page, email)
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_label("Email address")).to_have_value(email)
    expect(page.get_by_label("Email address")).to_be_focused()
    page.evaluate("document.getElementById('sign-up').reset()")
    expect(page.get_by_label("Email address")).to_have_value("")


def test_a_phone_number_is_verified_by_sms(
    page: Page, stack: LocalStack, phone: str, open_form: OpenForm
) -> None:
    open_form('channel="sms"')
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_label("Code")).to_be_focused()
    paste(page, stack.code(phone))
    expect(page.get_by_role("status")).to_contain_text("is verified")


def test_a_language_that_is_written_from_right_to_left(
    page: Page, email: str, open_form: OpenForm
) -> None:
    texts = "{email: 'البريد الإلكتروني', send: 'إرسال الرمز', code: 'الرمز', change: 'تغيير'}"
    more = (
        "<script type='module'>"
        "const element = document.querySelector('verify-code');"
        f"await customElements.whenDefined('verify-code'); element.messages = {texts};"
        "element.reset();</script>"
    )
    page.set_viewport_size(PHONE)
    open_form(language="ar", more=more)
    field = page.get_by_label("البريد الإلكتروني")
    field.fill(email)
    page.get_by_role("button", name="إرسال الرمز").click()
    code = page.get_by_label("الرمز", exact=True)
    expect(code).to_be_focused()
    assert (
        page.evaluate(
            "getComputedStyle(document.querySelector('verify-code').shadowRoot.querySelector('form'))"
            ".direction"
        )
        == "rtl"
    )
    assert code.evaluate("field => getComputedStyle(field).direction") == "ltr"
    change = page.get_by_role("button", name="تغيير").bounding_box()
    assert change
    assert change["x"] > PHONE["width"] / 2, "the first link is not on the right"
    assert_fits(page)
    axe(page)


def test_the_form_works_by_keys_alone(
    page: Page, stack: LocalStack, email: str, open_form: OpenForm
) -> None:
    open_form()
    page.keyboard.press("Tab")
    page.keyboard.type(email)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type(stack.code(email))
    expect(page.get_by_role("status")).to_be_focused()


def _seconds(text: str) -> int:
    found = re.search(r"\d+", text)
    assert found, text
    return int(found[0])


CLIENT = """element => {
  window.sends = [];
  const later = (seconds) => new Date(Date.now() + seconds * 1000);
  const send = async (parameters) => {
    window.sends.push(parameters.captchaToken);
    return { verificationId: "k1.d6one", codeLength: 6, resendAt: later(0), expiresAt: later(600) };
  };
  element.client = { send };
}"""
"""A client that notes the token of each send."""


def test_each_send_takes_a_new_token_of_the_pages_captcha(page: Page, open_form: OpenForm) -> None:
    open_form()
    element = page.locator("verify-code")
    element.evaluate(CLIENT)
    element.evaluate("element => { let n = 0; element.captcha = async () => `token-${++n}`; }")
    send(page, "ana@example.com")
    page.get_by_role("button", name="Send again", exact=True).click()
    page.wait_for_function("window.sends.length === 2")
    assert page.evaluate("window.sends") == ["token-1", "token-2"]


def test_a_captcha_that_fails_sends_nothing_and_can_be_tried_again(
    page: Page, open_form: OpenForm
) -> None:
    open_form()
    element = page.locator("verify-code")
    element.evaluate(CLIENT)
    element.evaluate("element => { element.captcha = async () => { throw new Error('no'); }; }")
    page.get_by_label("Email address").fill("ana@example.com")
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    element.evaluate("element => { element.captcha = async () => 'token'; }")
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_text("Enter the code that we sent to")).to_be_visible()
    assert page.evaluate("window.sends") == ["token"]
