"""A proof as a client's backend sees it: made on the local stack, with its KMS and its IAM, verified with README's code."""

import json
from pathlib import Path

import httpx
import jwt
import pytest

from tests.e2e.conftest import LocalStack
from tests.readme import readme_verifier

SCOPES = "workflow:verify_send,workflow:verify_check"
AUDIENCE = "https://api.example.com"


def jwks(stack: LocalStack) -> httpx.Response:
    return httpx.get(f"{stack.url}/.well-known/jwks.json", headers={"origin": "http://localhost:3000"}, timeout=60)


def test_a_proof_is_verified_with_readmes_code(tmp_path: Path, email: str) -> None:
    stack = LocalStack(tmp_path, PROOFS="true")
    try:
        assert not stack.exited, stack.text
        kind = ["--name", "app", "--kind", "publishable", "--scopes", SCOPES]
        issued = json.loads(stack.token("issue", *kind, "--audience", AUDIENCE, "--json").stdout)
        assert f"proofs for {AUDIENCE}" in stack.token("list").stdout
        with stack.api(issued["token"]) as api:
            sent = api.post("/workflows/verify_send", json={"channel": "email", "to": email, "nonce": "n-1"}).json()
            code = {"verification_id": sent["verification_id"], "code": stack.code(email)}
            proof = api.post("/workflows/verify_check", json=code).json()["proof"]
        verified_destination = readme_verifier(stack.url)
        assert verified_destination(proof, nonce="n-1", channel="email", purpose=None) == email
        with pytest.raises(jwt.InvalidTokenError):
            verified_destination(proof, nonce="n-2", channel="email", purpose=None)
        assert [key["kid"] for key in jwks(stack).json()["keys"]] == [jwt.get_unverified_header(proof)["kid"]]
    finally:
        stack.stop()


def test_where_proofs_are_off_anybody_reads_an_empty_jwk_set(stack: LocalStack) -> None:
    answer = jwks(stack)
    assert (answer.status_code, answer.json()) == (200, {"keys": []})
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["x-request-id"]
