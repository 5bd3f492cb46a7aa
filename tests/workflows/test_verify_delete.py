import pytest

from functions.core.verification.record import Verification
from functions.workflows.verify_delete.handler import lambda_handler as verify_delete
from tests import fakes
from tests.builders import Context, call
from tests.builders.verifications import stored
from tests.workflows.conftest import Settings

pytestmark = pytest.mark.usefixtures("cloud")


def test_the_schedule_deletes_the_verification() -> None:
    verification_id = stored()
    event = {"trigger": "schedule", "parameters": {"verification_id": verification_id}}
    assert verify_delete(event, Context())["result"] == {
        "verification_id": verification_id,
        "deleted": True,
    }
    assert list(Verification.scan()) == []


def test_deleting_twice_is_no_error() -> None:
    verification_id = stored()
    replies = [call(verify_delete, {"verification_id": verification_id}) for _ in range(2)]
    assert [(reply.status, reply.body["deleted"]) for reply in replies] == [
        (200, True),
        (200, False),
    ]


def test_only_the_named_verification_goes() -> None:
    kept, gone = stored(), stored()
    call(verify_delete, {"verification_id": gone})
    assert [each.verification_id for each in Verification.scan()] == [kept]


def test_a_publishable_token_cannot_delete() -> None:
    reply = call(verify_delete, {"verification_id": stored()}, kind="publishable")
    assert (reply.status, reply.body["code"]) == (403, "not_permitted")


def test_a_schedule_that_meets_a_fault_raises_so_that_it_is_tried_again(settings: Settings) -> None:
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    with pytest.raises(Exception, match="database is not available"):
        verify_delete({"trigger": "schedule", "parameters": {"verification_id": "k1.x"}}, Context())
