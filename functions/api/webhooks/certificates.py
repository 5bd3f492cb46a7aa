"""Signatures by a certificate of SNS, which is fetched once per URL and process."""

from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from functions.api.webhooks.download import Download, Refused
from functions.core import config
from functions.core.errors import Unavailable, WrongSignature

_MOST_CERTIFICATES = 16
"""SNS has one or two at a time; only what it really serves is kept, so that made-up URLs push none out."""


def refuse_unless_signed_by_certificate(
    url: str, signature: bytes, signed: bytes, now: float, fetch: Download
) -> None:
    """Raises `WrongSignature` unless the certificate at a URL of SNS is valid now and made this signature: RSASSA-PKCS1-v1_5
    with SHA-256. Raises `Unavailable` while it cannot be fetched.
    """
    try:
        certificate, key = _certificate(url, fetch)
    except Refused:
        raise WrongSignature("SNS has no such certificate.") from None
    if (
        not certificate.not_valid_before_utc
        <= datetime.fromtimestamp(now, UTC)
        <= certificate.not_valid_after_utc
    ):
        raise WrongSignature("The certificate is not valid now.")
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise WrongSignature("The signature was not made by SNS over what arrived.") from None


@config.cached(most=_MOST_CERTIFICATES)
def _certificate(url: str, fetch: Download) -> tuple[Certificate, RSAPublicKey]:
    try:
        certificate = load_pem_x509_certificate(fetch(url))
    except ValueError:
        raise Unavailable("What SNS serves as its certificate cannot be read.") from None
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Unavailable("What SNS serves as its certificate has another kind of key.")
    return certificate, key
