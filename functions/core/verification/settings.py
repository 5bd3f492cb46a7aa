"""What can be set about verifications."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from functions.core import config


@config.settings()
class VerificationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of verifications, each a parameter of template.yaml; read from the environment."""

    code_keys_secret: str
    """ARN of the secret with the keys that codes are HMACed with."""

    code_length: Annotated[int, Meta(ge=6, le=10)] = 6
    """Characters of every code, for each of which apps draw a box. NIST SP 800-63B-4 §3.1.3.2: at
    least six."""

    code_alphabet: Literal["digits", "letters_and_digits"] = "digits"
    """Letters and digits without those that look alike."""

    code_valid_seconds: Annotated[int, Meta(ge=60, le=600)] = 600
    """At most 10 minutes (NIST SP 800-63B-4 §3.1.3.2, OWASP ASVS 6.5.5)."""

    delete_after_seconds: Annotated[int, Meta(ge=10, le=86_400)] = 900
    """After creation."""

    max_attempts: Annotated[int, Meta(ge=1, le=10)] = 5
    """Guesses a code, right or wrong."""


@config.settings()
class ProofSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of proofs; read from the environment."""

    proof_keys: tuple[
        Annotated[str, Meta(pattern=r"^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$")],
        ...,
    ] = ()
    """ARNs of KMS keys: the first signs, all are published. None: no proofs. No aliases: an alias that moves to another key
    would leave its `kid` behind, and IAM cannot name it."""
