"""Proofs, verified with PyJWT by the code that the documents give to backends."""

import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

import jwt
import pytest

from functions.api.documents.handler import lambda_handler as documents
from functions.core import aws
from infra import sam
from tests import fakes
from tests.builders import Context, Reply, verifications
from tests.builders.verifications import CODE, last_code, stored
from tests.documents import Verifier, proof_verifier
from tests.workflows.conftest import Clock, Settings, admin

pytestmark = [pytest.mark.usefixtures("cloud"), pytest.mark.slow]

AUDIENCE = "https://api.example.com"
EVENT = json.loads((sam.ROOT / "tests/events/documents.json").read_text())


def new_key() -> str:
    return str(
        admin("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"][
            "Arn"
        ]
    )


@pytest.fixture
def key(cloud: None, settings: Settings) -> str:  # noqa: ARG001 - the key is in the cloud
    arn = new_key()
    settings.set(PROOF_KEYS=arn)
    return arn


@pytest.fixture
def issuer(settings: Settings) -> Iterator[str]:
    """URL of the API, with a server there that serves the JWK set."""

    def script(request: BaseHTTPRequestHandler, _: bytes) -> None:
        answer = documents(EVENT | {"routeKey": f"GET {request.path}"}, Context())
        fakes.reply(request, answer["statusCode"], answer["body"].encode(), answer["headers"])

    with fakes.server(script) as url:
        settings.set(PUBLIC_URL=url)
        yield url


@pytest.fixture
def verified_destination(issuer: str) -> Verifier:
    return proof_verifier(issuer)


def send(to: str = "ana@example.com", audience: str | None = AUDIENCE, **others: Any) -> Reply:
    return verifications.send(to, audience=audience, **others)


def check(verification_id: str, code: str = CODE, audience: str | None = AUDIENCE) -> Reply:
    return verifications.check(verification_id, code, audience=audience)


def proof_of(**changes: Any) -> str:
    return str(check(stored(**changes)).body["proof"])


def claims_of(proof: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(proof, options={"verify_signature": False})
    return claims


def jwks() -> list[dict[str, str]]:
    keys: list[dict[str, str]] = json.loads(documents(EVENT, Context())["body"])["keys"]
    return keys


def kid(arn: str) -> str:
    return arn.rpartition("/")[2]


@pytest.mark.usefixtures("key")
def test_a_backend_learns_from_a_proof_what_was_verified(verified_destination: Verifier) -> None:
    sent = send(purpose="sign_in", nonce="n-1").body
    proof = check(sent["verification_id"], last_code()).body["proof"]
    assert (
        verified_destination(proof, nonce="n-1", channel="email", purpose="sign_in")
        == "ana@example.com"
    )


@pytest.mark.usefixtures("key")
def test_a_proof_names_an_email_address_in_lower_case() -> None:
    sent = send("Case.Test@Example.com").body
    proof = check(sent["verification_id"], last_code()).body["proof"]
    assert claims_of(proof)["sub"] == "case.test@example.com"


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    "other",
    [
        {"nonce": "n-2"},
        {"channel": "sms"},
        {"purpose": "sign_up"},
        {"nonce": None},
        {"purpose": None},
    ],
)
def test_a_proof_of_another_verification_is_refused(
    other: dict[str, Any], verified_destination: Verifier
) -> None:
    expected = {"nonce": "n-1", "channel": "email", "purpose": "sign_in"} | other
    with pytest.raises(jwt.InvalidTokenError, match="of another verification"):
        verified_destination(proof_of(nonce="n-1"), **expected)


@pytest.mark.usefixtures("key")
def test_a_proof_for_another_audience_is_refused(verified_destination: Verifier) -> None:
    proof = check(stored(nonce="n-1"), audience="https://other.example.com").body["proof"]
    with pytest.raises(jwt.InvalidAudienceError):
        verified_destination(proof, nonce="n-1", channel="email", purpose="sign_in")


@pytest.mark.usefixtures("key")
def test_a_proof_of_another_issuer_is_refused(
    verified_destination: Verifier, settings: Settings
) -> None:
    settings.set(PUBLIC_URL="https://other.example.com")
    with pytest.raises(jwt.InvalidIssuerError):
        verified_destination(proof_of(nonce="n-1"), nonce="n-1", channel="email", purpose="sign_in")


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_proof_that_was_changed_is_refused(part: int, verified_destination: Verifier) -> None:
    parts = proof_of(nonce="n-1").split(".")
    middle = len(parts[part]) // 2
    letter = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + letter + parts[part][middle + 1 :]
    with pytest.raises(jwt.PyJWTError):
        verified_destination(".".join(parts), nonce="n-1", channel="email", purpose="sign_in")


@pytest.mark.usefixtures("key")
def test_a_proof_of_a_test_destination_is_refused_and_only_that_has_the_claim(
    verified_destination: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "test" not in claims_of(proof_of())
    monkeypatch.setattr("functions.core.verification.record.Verification.test", True, raising=False)
    proof = proof_of(nonce="n-1")
    assert claims_of(proof)["test"] is True
    with pytest.raises(jwt.InvalidTokenError, match="test destination"):
        verified_destination(proof, nonce="n-1", channel="email", purpose="sign_in")


def test_a_proof_is_typed_names_its_key_and_lives_10_minutes(key: str, issuer: str) -> None:
    before = int(time.time())
    proof = proof_of(nonce="n-1")
    assert jwt.get_unverified_header(proof) == {
        "alg": "ES256",
        "kid": kid(key),
        "typ": "verification+jwt",
    }
    claims = claims_of(proof)
    assert before <= claims.pop("iat") == claims.pop("exp") - 600 <= time.time()
    assert re.fullmatch(r"[\w-]{22}", claims.pop("jti"))
    expected = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "ana@example.com",
        "channel": "email",
        "purpose": "sign_in",
    }
    assert claims == expected | {"nonce": "n-1"}


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("sent_for", "checked_for"),
    [(AUDIENCE, "https://other.example.com"), (None, AUDIENCE), (AUDIENCE, None), (None, None)],
)
def test_a_check_for_another_audience_than_the_sends_gets_no_proof(
    sent_for: str | None, checked_for: str | None
) -> None:
    sent = send(audience=sent_for).body
    reply = check(sent["verification_id"], last_code(), audience=checked_for)
    assert (reply.body["valid"], reply.body["proof"]) == (True, None)


@pytest.mark.usefixtures("key")
def test_a_resend_does_not_change_whom_a_proof_is_for(clock: Clock) -> None:
    first = send().body["verification_id"]
    clock.advance(61)
    send(audience="https://other.example.com", resend_of=first)
    assert check(first, last_code(), audience="https://other.example.com").body["proof"] is None


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("audience", [AUDIENCE, "https://other.example.com"])
def test_a_record_of_an_earlier_release_proves_to_the_audience_that_checks(audience: str) -> None:
    assert claims_of(check(stored(), audience=audience).body["proof"])["aud"] == audience


@pytest.mark.usefixtures("key")
def test_a_value_that_was_not_given_is_no_claim() -> None:
    assert {"purpose", "nonce", "test"} & set(claims_of(proof_of(purpose=None))) == set()


@pytest.mark.usefixtures("key")
def test_without_a_public_url_the_requests_domain_is_the_issuer() -> None:
    assert claims_of(proof_of())["iss"] == "https://api.example.com"


@pytest.mark.usefixtures("key")
def test_the_longest_proof_can_be_signed(settings: Settings) -> None:
    """KMS signs at most 4,096 bytes."""
    settings.set(PUBLIC_URL="https://" + "x" * 247)
    longest = "a" * 64 + "@" + "\U0001d7d8" * 190
    proof = check(
        stored(to=longest, nonce="n" * 128, purpose="change_destination"), audience="a" * 255
    ).body["proof"]
    assert len(proof.rpartition(".")[0]) <= 4096


@pytest.mark.usefixtures("key")
def test_two_proofs_have_two_ids() -> None:
    assert claims_of(proof_of())["jti"] != claims_of(proof_of())["jti"]


@pytest.mark.usefixtures("key")
def test_a_wrong_code_gets_no_proof() -> None:
    assert check(stored(), "000000").body["proof"] is None


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("nonce", ["a b", "ä", "x" * 129, 'a"'])
def test_a_nonce_that_cannot_be_is_refused(nonce: str) -> None:
    reply = send(nonce=nonce)
    assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (422, ["/nonce"])


def test_the_nonce_is_in_no_answer_but_the_proof() -> None:
    sent = send(nonce="n-123").body
    assert "n-123" not in json.dumps(sent)
    assert "n-123" not in json.dumps(
        check(sent["verification_id"], last_code(), audience=None).body
    )


def test_without_an_audience_there_is_no_proof_and_no_call_of_kms(
    key: str, settings: Settings
) -> None:
    assert key
    settings.set(AWS_ENDPOINT_URL_KMS=fakes.nobody())
    reply = check(stored(), audience=None)
    assert (reply.body["valid"], reply.body["proof"]) == (True, None)
    made = cast("Any", aws.client).cache_info().currsize
    assert made == 2, "only clients of Secrets Manager and DynamoDB"


def test_without_proofs_verify_check_imports_nothing_of_them() -> None:
    """Runs in a process of its own with Lambda's environment, so that its init runs."""
    code = """
import sys
from functions.workflows.verify_check import handler
assert handler
names = list(sys.modules)
print([each for each in names if each.endswith((".proof", ".signing")) or each.startswith("jwt")])
"""
    lambdas = {
        "AWS_LAMBDA_FUNCTION_NAME": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CODE_KEYS_SECRET": "x",
    }
    secret = json.dumps({"SecretString": json.dumps({"current": "k1", "k1": "a" * 64})}).encode()
    with fakes.server(fakes.answers(200, secret)) as url:
        account = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": url}
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, env=lambdas | account, cwd=sam.ROOT, capture_output=True, text=True, check=True
        )
    assert "init could not prepare" not in done.stdout, "the init did not finish"
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.usefixtures("key")
def test_a_proof_that_kms_cannot_sign_leaves_the_answer_valid_and_is_counted(
    settings: Settings, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.set(AWS_ENDPOINT_URL_KMS=fakes.nobody())
    reply = check(stored())
    assert (reply.status, reply.body["valid"], reply.body["proof"]) == (200, True, None)
    assert reply.body["to"] == "ana@example.com"
    assert "proof not signed" in log.getvalue()
    assert "ana@example.com" not in log.getvalue()
    assert '"ProofFailed":[1.0]' in capfd.readouterr().out.replace(" ", "")


@pytest.mark.usefixtures("key")
def test_a_kms_that_hangs_leaves_the_answer_valid_in_time(settings: Settings) -> None:
    """The call's deadline strikes during the wait for KMS, however fast this machine is."""

    def script(request: BaseHTTPRequestHandler, body: bytes) -> None:
        os.kill(os.getpid(), signal.SIGALRM)  # as the deadline does
        fakes.hangs(request, body)

    verification_id = stored()
    with fakes.server(script) as url:
        settings.set(AWS_ENDPOINT_URL_KMS=url)
        reply = check(verification_id)
    assert (reply.status, reply.body["valid"], reply.body["proof"]) == (200, True, None)


@pytest.mark.usefixtures("key")
def test_a_kms_that_fails_once_is_asked_again(
    settings: Settings, verified_destination: Verifier
) -> None:
    failures = iter([503])

    def script(request: BaseHTTPRequestHandler, body: bytes) -> None:
        status = next(failures, None)
        if status:
            fakes.reply(request, status, b"{}", {})
        else:
            signed = admin("kms").sign(**_sign_arguments(body))
            answer = {"Signature": base64.b64encode(signed["Signature"]).decode()}
            fakes.reply(
                request,
                200,
                json.dumps(answer).encode(),
                {"content-type": "application/x-amz-json-1.1"},
            )

    with fakes.server(script) as url:
        settings.set(AWS_ENDPOINT_URL_KMS=url)
        proof = proof_of(nonce="n-1")
        settings.unset("AWS_ENDPOINT_URL_KMS")
    assert (
        verified_destination(proof, nonce="n-1", channel="email", purpose="sign_in")
        == "ana@example.com"
    )


def _sign_arguments(body: bytes) -> dict[str, Any]:
    arguments: dict[str, Any] = json.loads(body)
    return arguments | {"Message": base64.b64decode(arguments["Message"])}


def test_an_audience_without_a_proof_key_is_an_answer_without_proof(log: io.StringIO) -> None:
    reply = check(stored())
    assert (reply.body["valid"], reply.body["proof"]) == (True, None)
    assert "PROOF_KEYS is not set" in log.getvalue()


def test_the_public_keys_are_a_jwk_set_that_may_be_cached(key: str) -> None:
    answer = documents(EVENT, Context())
    assert answer["statusCode"] == 200
    assert answer["headers"] == {
        "content-type": "application/jwk-set+json",
        "cache-control": "public, max-age=300",
        "cross-origin-resource-policy": "cross-origin",
        "etag": answer["headers"]["etag"],
        "x-content-type-options": "nosniff",
        "x-request-id": "JKJaXmPLvHcESHA=",
    }
    (published,) = json.loads(answer["body"])["keys"]
    x, y = published.pop("x"), published.pop("y")
    assert {len(x), len(y)} == {43}
    assert published == {"kid": kid(key), "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256"}


def test_without_proofs_the_jwk_set_is_empty() -> None:
    assert jwks() == []


def test_a_key_is_published_before_it_signs_and_until_its_proofs_have_expired(
    settings: Settings, verified_destination: Verifier
) -> None:
    old, new = new_key(), new_key()
    expected = {"nonce": "n-1", "channel": "email", "purpose": "sign_in"}
    settings.set(PROOF_KEYS=f"{old},{new}")
    before = proof_of(nonce="n-1")
    assert jwt.get_unverified_header(before)["kid"] == kid(old)
    assert [each["kid"] for each in jwks()] == [kid(old), kid(new)]
    assert verified_destination(before, **expected) == "ana@example.com"
    settings.set(PROOF_KEYS=f"{new},{old}")
    after = proof_of(nonce="n-1")
    assert jwt.get_unverified_header(after)["kid"] == kid(new)
    assert [verified_destination(proof, **expected) for proof in (before, after)] == [
        "ana@example.com"
    ] * 2


def test_a_key_is_asked_for_once_a_process(key: str, settings: Settings) -> None:
    published = jwks()
    assert [each["kid"] for each in published] == [kid(key)]
    asked = signing_requests()
    assert jwks() == published
    assert asked == []
    settings.set(PROOF_KEYS=key)  # as in a new process
    jwks()
    assert asked == ["GetPublicKey"]


def signing_requests() -> list[str]:
    sent: list[str] = []
    client = aws.client("kms", attempts=3)
    client.meta.events.register(
        "before-send.kms", lambda event_name, **_: sent.append(event_name.rpartition(".")[2])
    )
    return sent


def test_a_key_that_is_gone_does_not_take_the_others_with_it(
    settings: Settings, log: io.StringIO
) -> None:
    key, gone = new_key(), new_key()
    settings.set(PROOF_KEYS=f"{key},{gone[:-1]}{'0' if gone[-1] != '0' else '1'}")
    assert [each["kid"] for each in jwks()] == [kid(key)]
    assert "disabled or gone" in log.getvalue()


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"routeKey": "GET /.well-known/nothing.json"}, 404, "not_found"),
        ({"rawQueryString": "access_token=x"}, 401, "token_in_url"),
    ],
)
def test_a_document_that_cannot_be_is_a_problem(
    change: dict[str, Any], status: int, code: str
) -> None:
    answer = documents(EVENT | change, Context())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (status, code)
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert answer["headers"]["x-request-id"] == "JKJaXmPLvHcESHA="


@pytest.mark.usefixtures("key")
def test_keys_that_cannot_be_read_are_a_503_that_says_when_to_come_back(settings: Settings) -> None:
    settings.set(AWS_ENDPOINT_URL_KMS=fakes.nobody())
    answer = documents(EVENT, Context())
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
    assert answer["headers"]["cache-control"] == "no-store"
