"""KMS: asymmetric keys (ECDSA on P-256), whose private halves never leave it.

Both calls raise `AwsUnavailable` while KMS is.
"""

from functions.core import aws

_ATTEMPTS = 3
"""A signature that is made twice does no harm; three tries end within 15 s of a call's 25."""

_UNUSABLE = frozenset({"DisabledException", "KMSInvalidStateException"})


def sign(key: str, message: bytes) -> bytes:
    """A signature (ECDSA_SHA_256) in DER.

    Args:
        key: ARN of the key.
        message: at most 4,096 bytes, which KMS hashes itself (`MessageType` RAW).
    """
    signed = client().sign(
        KeyId=key, Message=message, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256"
    )
    return bytes(signed["Signature"])


def public_key(key: str) -> bytes | None:
    """The public half in DER; null when the key is disabled, to be deleted or not there."""
    try:
        return bytes(client().get_public_key(KeyId=key)["PublicKey"])
    except aws.AwsNotFound:
        return None
    except aws.AwsError as error:
        if error.code in _UNUSABLE:
            return None
        raise


def client() -> aws.Client:
    """The client; made early, init pays for it."""
    return aws.client("kms", attempts=_ATTEMPTS)
