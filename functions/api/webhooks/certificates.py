"""Signatures by a certificate of SNS. A certificate is fetched once per URL and process."""

from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from functions.api.webhooks.download import Download, DownloadRefused
from functions.core import config
from functions.core.errors import Unavailable, WrongSignature

_MAX_CERTIFICATES = 16
"""SNS has one or two at a time. Failed downloads are not cached, so made-up URLs displace none."""


def refuse_unless_signed_by_certificate(
    url: str, signature: bytes, signed: bytes, now: float, fetch: Download
) -> None:
    """Verifies a signature by the certificate at a URL of SNS: RSASSA-PKCS1-v1_5 with SHA-256.

    Raises:
        WrongSignature: the certificate is not valid now, or did not make the signature.
        Unavailable: the certificate cannot be fetched now.
    """
    try:
        certificate, key = _certificate(url, fetch)
    except DownloadRefused:
        raise WrongSignature("SNS does not have this certificate.") from None
    if (
        not certificate.not_valid_before_utc
        <= datetime.fromtimestamp(now, UTC)
        <= certificate.not_valid_after_utc
    ):
        raise WrongSignature("The certificate has expired or is not valid yet.")
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise WrongSignature("The signature does not match the message.") from None


@config.cached(most=_MAX_CERTIFICATES)
def _certificate(url: str, fetch: Download) -> tuple[Certificate, RSAPublicKey]:
    try:
        certificate = load_pem_x509_certificate(fetch(url))
    except ValueError:
        raise Unavailable("The certificate that SNS serves cannot be read.") from None
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Unavailable("The certificate that SNS serves does not have an RSA key.")
    return certificate, key
