import io
import json
import time
from typing import Any

import pytest

from functions.api.authorize.handler import lambda_handler as authorize
from functions.core.auth.lookup import read_token
from functions.core.auth.tokens import Token, issue_token, list_tokens, rescope_tokens, revoke_token
from functions.core.aws import dynamodb
from functions.core.errors import Unavailable
from infra.workflows import publishable_scopes
from tests import fakes
from tests.builders import Context
from tests.workflows.conftest import Settings, admin

pytestmark = pytest.mark.usefixtures("no_tokens")

SEND = ["workflow:verify_send"]


def ask(authorization: str | None, header: str = "authorization") -> dict[str, Any]:
    event = {
        "version": "2.0",
        "type": "REQUEST",
        "headers": {header: authorization} if authorization else {},
    }
    return authorize(event, Context())


def test_a_token_is_known_by_what_it_says() -> None:
    text, token = issue_token(
        "web",
        "publishable",
        ["workflow:verify_send", "workflow:verify_check"],
        publishable_scopes=publishable_scopes(),
    )
    assert ask(f"Bearer {text}") == {
        "isAuthorized": True,
        "context": {
            "token_id": token.token_id,
            "kind": "publishable",
            "scopes": "workflow:verify_check workflow:verify_send",
        },
    }


def test_a_token_may_say_whom_its_proofs_are_for() -> None:
    text = issue_token(
        "web",
        "publishable",
        SEND,
        publishable_scopes=publishable_scopes(),
        audience="https://api.example.com",
    ).text
    assert ask(f"Bearer {text}")["context"]["audience"] == "https://api.example.com"


@pytest.mark.parametrize("audience", ["", " ", "a b", "ä", "x" * 256, "a\n"])
def test_an_audience_that_cannot_be_is_refused_with_a_sentence(audience: str) -> None:
    with pytest.raises(ValueError, match="An audience is 1 to 255 ASCII characters"):
        issue_token("web", "secret", SEND, audience=audience)
    assert list_tokens() == []


@pytest.mark.parametrize("form", ["bearer {}", "BEARER  {}", "Bearer {} "])
def test_the_schemes_case_and_spaces_do_not_matter(form: str) -> None:
    assert (
        ask(form.format(issue_token("web", "secret", SEND).text), header="Authorization")[
            "isAuthorized"
        ]
        is True
    )


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer x", "Basic {}", "{}", "Bearer {}x", "Bearer {} {}"],
)
def test_anything_else_is_refused(authorization: str | None) -> None:
    text = issue_token("web", "secret", SEND).text
    assert ask(authorization and authorization.format(text, text)) == {"isAuthorized": False}


def test_an_unknown_token_is_refused() -> None:
    assert ask("Bearer wf_" + "a" * 43) == {"isAuthorized": False}


def test_a_text_whose_hash_only_begins_like_a_tokens_is_refused() -> None:
    """The id is 64 bits of the hash; all 256 bits must match."""
    text, token = issue_token("web", "secret", SEND)
    token.update([Token.token_hash.set(token.token_hash[:16] + "0" * 48)])
    assert ask(f"Bearer {text}") == {"isAuthorized": False}


def test_a_token_is_read_by_its_id_alone() -> None:
    token = issue_token("web", "secret", SEND).token
    found = read_token(token.token_id)
    assert found is not None
    assert (found.name, found.token_hash) == ("web", token.token_hash)
    assert read_token("0123456789abcdef") is None


def test_a_token_is_known_as_soon_as_it_is_issued() -> None:
    """The read is consistent, because the authorizer's refusal would be cached for 60 s.

    moto has no other reads.
    """
    sent: list[dict[str, Any]] = []
    text, token = issue_token("web", "secret", SEND)

    def note(request: Any, **_: object) -> None:
        sent.append(json.loads(request.body))

    events = dynamodb.connection().client.meta.events
    events.register_first("before-send.dynamodb.GetItem", note)
    assert ask(f"Bearer {text}")["isAuthorized"] is True
    assert read_token(token.token_id) is not None
    events.unregister("before-send.dynamodb.GetItem", note)
    assert [each["ConsistentRead"] for each in sent] == [True, True]


def test_revoking_is_one_request(dynamodb_requests: list[str]) -> None:
    token = issue_token("web", "secret", SEND).token
    dynamodb_requests.clear()
    assert revoke_token(token.token_id) is True
    assert dynamodb_requests == ["UpdateItem"]


def test_a_revoked_token_is_refused_and_stays_in_the_list() -> None:
    text, token = issue_token("web", "secret", SEND)
    assert revoke_token(token.token_id) is True
    assert ask(f"Bearer {text}") == {"isAuthorized": False}
    assert [each.revoked_at is not None for each in list_tokens()] == [True]


def test_revoking_twice_keeps_the_first_time() -> None:
    token = issue_token("web", "secret", SEND).token
    revoke_token(token.token_id)
    token.refresh()
    token.update([Token.revoked_at.set(1)])
    revoke_token(token.token_id)
    token.refresh()
    assert token.revoked_at == 1


def test_a_rescoped_token_stays_the_same_and_opens_what_it_is_given() -> None:
    text, other = (
        issue_token("server", "secret", SEND).text,
        issue_token("web", "secret", SEND).text,
    )
    assert rescope_tokens("server", [*SEND, "workflow:welcome_v2"]) is True
    assert ask(f"Bearer {text}")["context"]["scopes"] == "workflow:verify_send workflow:welcome_v2"
    assert ask(f"Bearer {other}")["context"]["scopes"] == "workflow:verify_send"


def test_a_publishable_token_cannot_be_rescoped_to_more_than_it_can_hold() -> None:
    text = issue_token("web", "publishable", SEND, publishable_scopes=publishable_scopes()).text
    with pytest.raises(ValueError, match="cannot hold workflow:verify_delete"):
        rescope_tokens("web", ["workflow:verify_delete"], publishable_scopes=publishable_scopes())
    assert ask(f"Bearer {text}")["context"]["scopes"] == "workflow:verify_send"


def test_rescoping_what_is_not_there_says_so() -> None:
    assert rescope_tokens("nobody", SEND) is False


def test_revoking_what_is_not_there_says_so() -> None:
    assert revoke_token("0123456789abcdef") is False
    assert list_tokens() == []


def test_an_expired_token_is_refused() -> None:
    text, token = issue_token("web", "secret", SEND, valid_seconds=60)
    assert ask(f"Bearer {text}")["isAuthorized"] is True
    token.update([Token.expires_at.set(int(time.time()))])
    assert ask(f"Bearer {text}") == {"isAuthorized": False}


def test_a_token_is_stored_as_its_hash_only(log: io.StringIO) -> None:
    text = issue_token("web", "secret", SEND).text
    ask(f"Bearer {text}")
    assert text not in str(admin("dynamodb").scan(TableName="local-tokens"))
    assert text not in log.getvalue()


def test_tokens_differ_and_have_256_bits() -> None:
    texts = {issue_token("web", "secret", SEND).text for _ in range(20)}
    assert len(texts) == 20
    assert {len(text) for text in texts} == {len("wf_") + 43}


@pytest.mark.parametrize(
    ("name", "kind", "scopes", "sentence"),
    [
        ("", "secret", SEND, "needs a name"),
        ("web", "public", SEND, "secret or publishable"),
        ("web", "secret", [], "at least one scope"),
        ("web", "secret", ["verify_send"], "are no scopes: verify_send"),
        ("web", "publishable", ["workflow:verify_delete"], "cannot hold workflow:verify_delete"),
    ],
)
def test_a_token_that_cannot_be_is_refused_with_a_sentence(
    name: str, kind: Any, scopes: list[str], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        issue_token(name, kind, scopes, publishable_scopes=publishable_scopes())
    assert list_tokens() == []


def test_a_token_is_not_refused_because_the_table_cannot_be_read(settings: Settings) -> None:
    """API Gateway caches a refusal for a minute, but not a failure."""
    text = issue_token("web", "secret", SEND).text
    settings.set(AWS_ENDPOINT_URL_DYNAMODB=fakes.nobody())
    with pytest.raises(Unavailable):
        ask(f"Bearer {text}")
