"""Signing keys: asymmetric KMS keys (ECDSA on P-256), whose private halves never leave KMS.
Signatures and public keys come in JOSE's forms.
"""

import base64

import msgspec

from functions.core import config
from functions.core.aws import kms

_SPKI_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
"""Prefix of a P-256 SubjectPublicKeyInfo in DER (RFC 5480 §2).

id-ecPublicKey, secp256r1, a bit string.
"""

_UNCOMPRESSED = 0x04
"""Tag of an uncompressed point: both coordinates follow (SEC 1 §2.3.3)."""

_COORDINATE_BYTES = 32


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key as a JWK (RFC 7517 §4, RFC 7518 §6.2)."""

    kid: str
    x: str
    y: str
    kty: str = "EC"
    crv: str = "P-256"
    use: str = "sig"
    alg: str = "ES256"


def key_id(key: str) -> str:
    """The `kid` of a key: its id in KMS, the end of its ARN."""
    return key.rpartition("/")[2]


def sign(key: str, message: bytes) -> bytes:
    """An ES256 signature: the 64 bytes r‖s (RFC 7518 §3.4).

    Args:
        key: ARN of the KMS key.
        message: at most 4,096 bytes, which KMS hashes itself (`MessageType` RAW).

    Raises:
        Unavailable: when KMS is.
    """
    return raw_signature(kms.sign(key, message))


@config.cached
def public_key(key: str) -> PublicKey:
    """The public half of a key. It never changes, so a process requests it once.

    Raises:
        LookupError: when the key is disabled, awaits its deletion or is not there.
        Unavailable: when KMS is.
    """
    found = kms.public_key(key)
    if found is None:
        raise LookupError(key_id(key))
    x, y = coordinates(found)
    return PublicKey(kid=key_id(key), x=base64url(x), y=base64url(y))


def raw_signature(der: bytes) -> bytes:
    """The 64 bytes r‖s of an ECDSA signature in DER: a SEQUENCE of two INTEGERs (RFC 3279 §2.2.3).

    Raises:
        ValueError: when it is not that.
    """
    if len(der) < 2 or der[:2] != bytes([0x30, len(der) - 2]):  # noqa: PLR2004 - tag and length
        raise ValueError("This is no ECDSA signature in DER.")
    r, rest = _integer(der[2:])
    s, rest = _integer(rest)
    if rest or len(r + s) != 2 * _COORDINATE_BYTES:
        raise ValueError("This is no ECDSA signature on P-256.")
    return r + s


def coordinates(spki: bytes) -> tuple[bytes, bytes]:
    """The coordinates x and y of a P-256 public key in DER (SubjectPublicKeyInfo).

    Raises:
        ValueError: when it is another kind of key.
    """
    point = spki.removeprefix(_SPKI_P256)
    if (
        len(spki) != len(_SPKI_P256) + 1 + 2 * _COORDINATE_BYTES
        or len(point) == len(spki)
        or point[0] != _UNCOMPRESSED
    ):
        raise ValueError("This is no public key on P-256.")
    return point[1 : 1 + _COORDINATE_BYTES], point[1 + _COORDINATE_BYTES :]


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def prepare() -> None:
    """Makes the client, for init."""
    kms.client()


def _integer(der: bytes) -> tuple[bytes, bytes]:
    """A positive INTEGER in 32 bytes (or more), and the rest.

    DER drops leading zeros, and puts one before a set top bit.
    """
    if len(der) < 2 or der[0] != 0x02 or len(der) < 2 + der[1]:  # noqa: PLR2004 - tag and length
        raise ValueError("This is no INTEGER in DER.")
    end = 2 + der[1]
    return der[2:end].lstrip(b"\0").rjust(_COORDINATE_BYTES, b"\0"), der[end:]
