"""Proofs: what a client shows to its own backend. A JWT (RFC 7519) that says what was verified, signed by KMS.

It is made of base64url, JSON and one signature, so no JWT library ships; the tests verify it with one.
"""

import secrets
from collections.abc import Mapping

import msgspec

from functions.core import config, http
from functions.core.config import SettingsError
from functions.core.signing.jws import base64url, key_id, sign
from functions.core.verification.record import Verification
from functions.core.verification.settings import ProofSettings

VALID_SECONDS = 600
"""The time that a client has to show it to its backend."""

TYPE = "verification+jwt"
"""So that no other JWT of the same issuer is taken for a proof (RFC 8725 §3.11)."""

_ID_BYTES = 16
"""128 random bits: a backend that keeps them sees a proof that is shown twice."""


def prove(verification: Verification, *, audience: str, domain: str | None, now: float) -> str:
    """A signed proof of a verification whose code was just found valid.

    Args:
        verification: what is proven.
        audience: whom the proof is for, as the token says.
        domain: that the request came in by; the issuer, unless the setting `PublicUrl` names one.
        now: seconds since the epoch.

    Raises:
        SettingsError: when proofs are not enabled.
        Unavailable: when KMS is.
    """
    keys = config.read(ProofSettings).proof_keys
    if not keys:
        raise SettingsError("PROOF_KEYS is not set: the parameter Proofs is not true.")
    header = {"alg": "ES256", "kid": key_id(keys[0]), "typ": TYPE}
    claims = _claims(verification, now) | {"iss": _issuer(domain), "aud": audience}
    signed = f"{_encoded(header)}.{_encoded(claims)}"
    return f"{signed}.{base64url(sign(keys[0], signed.encode()))}"


def _claims(verification: Verification, now: float) -> dict[str, object]:
    """Without what is absent: a claim that is there says something."""
    claims = {
        "sub": verification.to,
        "channel": verification.channel,
        "purpose": verification.purpose,
        "nonce": verification.nonce,
        "iat": int(now),
        "exp": int(now) + VALID_SECONDS,
        "jti": secrets.token_urlsafe(_ID_BYTES),
        "test": True if getattr(verification, "test", None) else None,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _issuer(domain: str | None) -> str:
    if url := http.public_url():
        return url
    if domain:
        return f"https://{domain}"
    raise SettingsError("PUBLIC_URL is not set, and the request names no domain.")


def _encoded(part: Mapping[str, object]) -> str:
    return base64url(msgspec.json.encode(part))
