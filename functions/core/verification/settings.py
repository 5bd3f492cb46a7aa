"""Settings of verifications and proofs."""

from typing import Annotated

import msgspec
from msgspec import Meta

from functions.core import config


@config.settings("verification")
class VerificationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of verifications; functions/settings.toml describes those of its section."""

    code_keys_secret: Annotated[str, config.ENVIRONMENT]
    """ARN of the secret with the HMAC keys of codes."""

    code_length: Annotated[int, Meta(ge=6, le=10)] = 6
    """Length of every code; apps draw a box for each character.

    NIST SP 800-63B-4 §3.1.3.2: at least six characters.
    """

    code_valid_seconds: Annotated[int, Meta(ge=60, le=600)] = 600
    """Validity of a code: at most 10 minutes (NIST SP 800-63B-4 §3.1.3.2, OWASP ASVS 6.5.5)."""

    delete_after_seconds: Annotated[int, Meta(ge=10, le=86_400)] = 900
    """Time from creation to deletion of a verification."""

    max_attempts: Annotated[int, Meta(ge=1, le=10)] = 5
    """Checks that a code allows, right or wrong."""

    publishable_links: bool = False
    """Whether strangers may say which page of `link_hosts` gets the code."""


@config.settings()
class ProofSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of proofs; read from the environment."""

    proof_keys: tuple[
        Annotated[str, Meta(pattern=r"^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$")],
        ...,
    ] = ()
    """ARNs of KMS keys. The first one signs, all are published; without keys there are no proofs.

    Aliases are not accepted: one that moves to another key would leave its `kid` behind, and IAM
    cannot name it.
    """
