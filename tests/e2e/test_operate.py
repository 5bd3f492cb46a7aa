"""Operators' commands: unlock a destination, rotate the code keys."""

from infra.local.deploy import zipped_functions
from tests.builders.parameters import check_parameters, send_parameters
from tests.e2e.conftest import LocalStack, keys_of


def send(stack: LocalStack, to: str) -> dict[str, str]:
    with stack.api() as api:
        sent: dict[str, str] = api.post("/workflows/verify_send", json=send_parameters(to)).json()
    return sent


def test_an_unlocked_destination_can_be_sent_to_at_once(stack: LocalStack, email: str) -> None:
    send(stack, email)
    assert send(stack, email)["code"] == "limit_exceeded"
    done = stack.operate("unlock", "--to", email.upper())
    assert (done.returncode, done.stdout) == (
        0,
        "p**@example.com is unlocked: its failed checks and its sends are forgotten.\n",
    )
    assert "verification_id" in send(stack, email)


def test_unlocking_nothing_or_what_cannot_be_is_refused_with_a_sentence(stack: LocalStack) -> None:
    for words, sentence in [
        ([], "Say what to unlock"),
        (["--to", "nobody"], "is not a phone number"),
    ]:
        done = stack.operate("unlock", *words)
        assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr


def test_secrets_that_an_operator_hands_on_are_shown_and_no_others(stack: LocalStack) -> None:
    shown = {
        name: stack.operate("secret", name)
        for name in ("registration-token", "events-key", "usersnap-portal-key")
    }
    # Another test may have set a second key of the portal beside the stack's own.
    lengths = {name: len(keys_of(done.stdout)[-1]) for name, done in shown.items()}
    assert lengths == {"registration-token": 48, "events-key": 44, "usersnap-portal-key": 44}
    refused = stack.operate("secret", "code-keys")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "There are: registration-token, events-key, usersnap-portal-key." in refused.stderr


def test_codes_sent_before_a_rotation_stay_valid_and_new_ones_use_the_new_key(
    special: LocalStack, email: str
) -> None:
    """Runs on the special stack, where no other test sends codes at the same time."""
    stack = special
    before = send(stack, email)["verification_id"]
    code = stack.code(email)
    done = stack.operate("rotate-keys")
    assert done.returncode == 0, done.stderr
    # New processes read the new key at once, running ones within five minutes.
    stack.emulator.client("lambda").update_function_code(
        FunctionName="local-wf-verify_send", ZipFile=zipped_functions()
    )
    after = send(stack, f"x{email}")["verification_id"]
    assert (before.partition(".")[0], after.partition(".")[0]) == ("k1", "k2")
    with stack.api() as api:
        for verification_id, typed in ((after, stack.code(f"x{email}")), (before, code)):
            body = check_parameters(verification_id, typed)
            assert api.post("/workflows/verify_check", json=body).json()["valid"] is True
