"""Proofs: JWTs (RFC 7519), signed by KMS, with which a client tells its backend what was verified.

A proof is base64url, JSON and one signature, so no JWT library ships. Tests verify it with one.
"""

import secrets
from collections.abc import Mapping

import msgspec

from functions.core import config, http
from functions.core.config import SettingsError
from functions.core.signing.jws import base64url, key_id, sign
from functions.core.verification.checking import CheckedVerification
from functions.core.verification.settings import ProofSettings

VALID_SECONDS = 600
"""Time in which a client must present the proof to its backend."""

TYPE = "verification+jwt"
"""Type that tells proofs from other JWTs of the same issuer (RFC 8725 §3.11)."""

_ID_BYTES = 16
"""128 random bits: a backend that stores the ids detects a proof that is presented twice."""


def prove(
    verification: CheckedVerification,
    *,
    audience: str,
    domain: str | None,
    proof_id: bytes | None = None,
) -> str:
    """Signs a proof of a verification whose code was just found valid.

    Args:
        verification: the verification that is proven; its valid check is when the proof begins.
        audience: recipient of the proof, as the tokens that sent and checked the code name it.
        domain: domain of the request; the issuer, unless the setting `PublicUrl` names one.
        proof_id: 128 bits that name it; null: random ones.

    Raises:
        SettingsError: when proofs are not enabled.
        Unavailable: when KMS is.
    """
    keys = config.read(ProofSettings).proof_keys
    if not keys:
        raise SettingsError("PROOF_KEYS is not set. Deploy with Proofs=true.")
    header = {"alg": "ES256", "kid": key_id(keys[0]), "typ": TYPE}
    claims = _claims(verification, proof_id) | {"iss": _issuer(domain), "aud": audience}
    signed = f"{_encoded(header)}.{_encoded(claims)}"
    return f"{signed}.{base64url(sign(keys[0], signed.encode()))}"


def _claims(verification: CheckedVerification, proof_id: bytes | None) -> dict[str, object]:
    """Claims that have a value; the others are left out.

    A proof that is made again has the same claims, so a backend that keeps each `jti` until its
    `exp` accepts it once.
    """
    checked_at = int(verification.checked_at)
    claims = {
        "sub": verification.to,
        "channel": verification.channel,
        "purpose": verification.purpose,
        "nonce": verification.nonce,
        "iat": checked_at,
        "exp": checked_at + VALID_SECONDS,
        "jti": base64url(proof_id or secrets.token_bytes(_ID_BYTES)),
        "test": True if verification.test else None,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _issuer(domain: str | None) -> str:
    if url := http.public_url():
        return url
    if domain:
        return f"https://{domain}"
    raise SettingsError("PUBLIC_URL is not set, and the request names no domain. Set PublicUrl.")


def _encoded(part: Mapping[str, object]) -> str:
    return base64url(msgspec.json.encode(part))
