"""The development tokens of `make run`, as the functions see them."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.api.authorize.handler import lambda_handler as authorize
from functions.core.auth.caller import TokenKind
from functions.core.auth.lookup import StoredToken, find_token
from functions.core.auth.tokens import issue_token, list_tokens, rescope_tokens, revoke_token
from infra import sam
from infra.local.deploy import Deployment
from infra.local.development import PUBLISHABLE, SECRET, revoke_earlier, write_tokens
from infra.local.emulator import Emulator
from infra.workflows import publishable_scopes, workflows
from tests.builders import Context
from tests.workflows.conftest import admin

pytestmark = pytest.mark.usefixtures("no_tokens")


class Moto(Emulator):
    """Emulator that consists of the tokens' table."""

    def client(self, service: str) -> Any:
        return admin(service)


SCOPES = ["workflow:verify_send"]
DEPLOYMENT = Deployment(Moto("http://127.0.0.1:9", "key"), {"TokensTable": "local-tokens"}, [])


def known(text: str) -> StoredToken:
    token = find_token(text)
    assert token is not None
    return token


def test_both_are_tokens_like_any_other_and_the_same_everywhere() -> None:
    write_tokens(DEPLOYMENT, workflows())
    secret, publishable = known(SECRET), known(PUBLISHABLE)
    assert (secret.kind, publishable.kind) == ("secret", "publishable")
    assert set(secret.scopes) == {
        "events:write",
        "runs:read",
        "runs:write",
        *(f"workflow:{name}" for name in workflows()),
    }
    assert set(publishable.scopes) == publishable_scopes()
    answer = authorize({"headers": {"authorization": f"Bearer {SECRET}"}}, Context())
    assert (answer["isAuthorized"], answer["context"]["kind"]) == (True, "secret")
    assert [token.name for token in list_tokens()] == [
        "development secret",
        "development publishable",
    ]


def test_each_start_makes_them_good_again() -> None:
    write_tokens(DEPLOYMENT, ["verify_send"])
    assert rescope_tokens("development secret", ["workflow:verify_check"])
    assert revoke_token(known(SECRET).token_id)
    write_tokens(DEPLOYMENT, ["verify_send", "new"])
    assert known(SECRET).is_active(0)
    assert set(known(SECRET).scopes) == {
        "events:write",
        "runs:read",
        "runs:write",
        "workflow:verify_send",
        "workflow:new",
    }
    assert len(list_tokens()) == 2


def test_those_of_an_earlier_version_are_revoked_once_and_others_stay(tmp_path: Path) -> None:
    kinds: list[TokenKind] = ["secret", "publishable"]
    earlier = {
        kind: issue_token(f"development {kind}", kind, SCOPES, publishable_scopes=SCOPES)
        for kind in kinds
    }
    mine = issue_token("mine", "secret", ["workflow:verify_send"])
    texts = {kind: issued.text for kind, issued in earlier.items()}
    (tmp_path / "tokens.json").write_text(json.dumps(texts | {"scopes": "workflow:verify_send"}))
    write_tokens(DEPLOYMENT, workflows())
    assert revoke_earlier(DEPLOYMENT, tmp_path)
    assert all(known(issued.text).revoked_at for issued in earlier.values())
    assert [known(text).revoked_at for text in (mine.text, SECRET, PUBLISHABLE)] == [None] * 3
    assert not (tmp_path / "tokens.json").exists()
    assert not revoke_earlier(DEPLOYMENT, tmp_path)


def test_a_deleted_token_does_not_come_back(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text(
        json.dumps({"secret": "wf_gone", "publishable": "wf_gone_too"})
    )
    assert revoke_earlier(DEPLOYMENT, tmp_path)
    assert list_tokens() == []


def test_no_command_can_issue_them_elsewhere() -> None:
    """Neither the code that ships nor an operator's command contains them.

    The code that issues tokens takes no text for one.
    """
    issued = {issue_token("web", "secret", ["workflow:verify_send"]).text for _ in range(20)}
    assert len(issued) == 20
    assert not issued & {SECRET, PUBLISHABLE}
    writing = [
        path for path in (sam.ROOT / "infra").rglob("*.py") if "write_tokens" in path.read_text()
    ]
    assert {path.name for path in writing} == {"development.py", "stack.py"}
    assert (
        Emulator("http://127.0.0.1:9", "key").client("dynamodb").meta.endpoint_url
        == "http://127.0.0.1:9"
    )
    for path in [*(sam.ROOT / "functions").rglob("*.*"), sam.TEMPLATE, sam.ROOT / "samconfig.toml"]:
        if path.suffix != ".pyc":
            assert SECRET.encode() not in path.read_bytes(), path
            assert PUBLISHABLE.encode() not in path.read_bytes(), path
