"""A proof as a client's backend sees it, verified with the documents' code."""

import json
from pathlib import Path

import httpx
import jwt
import pytest

from tests.builders.parameters import check_parameters, send_parameters
from tests.documents import proof_verifier
from tests.e2e.conftest import LocalStack

AUDIENCE = "https://api.example.com"


def jwks(stack: LocalStack) -> httpx.Response:
    return httpx.get(
        f"{stack.url}/.well-known/jwks.json",
        headers={"origin": "http://localhost:3000"},
        timeout=60,
    )


def token_with_audience(stack: LocalStack) -> str:
    scopes = ["--scopes", "workflow:verify_send,workflow:verify_check", "--audience", AUDIENCE]
    done = stack.token("issue", "--name", "app", "--kind", "publishable", *scopes, "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["token"])


def proof_for(stack: LocalStack, token: str, to: str) -> str:
    with stack.api(token) as api:
        sent = api.post("/workflows/verify_send", json=send_parameters(to, nonce="n-1")).json()
        code = check_parameters(sent["verification_id"], stack.code(to))
        return str(api.post("/workflows/verify_check", json=code).json()["proof"])


def key_of(proof: str) -> str:
    return str(jwt.get_unverified_header(proof)["kid"])


def test_a_proof_is_verified_with_the_documents_code(special: LocalStack, email: str) -> None:
    token = token_with_audience(special)
    assert f"proofs for {AUDIENCE}" in special.token("list").stdout
    proof = proof_for(special, token, email)
    verified_destination = proof_verifier(special.url)
    assert verified_destination(proof, nonce="n-1", channel="email", purpose=None) == email
    with pytest.raises(jwt.InvalidTokenError):
        verified_destination(proof, nonce="n-2", channel="email", purpose=None)


@pytest.mark.soak(only=True)
def test_a_proof_is_verified_with_the_documents_code_also_while_its_key_rotates(
    tmp_path: Path,
) -> None:
    stack = LocalStack.start(tmp_path, PROOFS="true")
    try:
        token = token_with_audience(stack)
        before = proof_for(stack, token, "ana@example.com")
        kms = stack.emulator.client("kms")
        old = kms.describe_key(KeyId="alias/local-proof")["KeyMetadata"]["Arn"]
        new = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    finally:
        stack.stop()

    stack = LocalStack.start(
        tmp_path, PORT=httpx.URL(stack.url).port, PROOFS="true", PROOF_KEYS=f"{new},{old}"
    )
    try:
        after = proof_for(stack, token, "bo@example.com")
        assert (key_of(after), key_of(before)) == (new.rpartition("/")[2], old.rpartition("/")[2])
        assert [key["kid"] for key in jwks(stack).json()["keys"]] == [key_of(after), key_of(before)]
        verified_destination = proof_verifier(stack.url)
        assert (
            verified_destination(before, nonce="n-1", channel="email", purpose=None)
            == "ana@example.com"
        )
        assert (
            verified_destination(after, nonce="n-1", channel="email", purpose=None)
            == "bo@example.com"
        )
    finally:
        stack.stop()


def test_without_proofs_anybody_reads_an_empty_jwk_set(stack: LocalStack) -> None:
    answer = jwks(stack)
    assert (answer.status_code, answer.json()) == (200, {"keys": []})
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["x-request-id"]
