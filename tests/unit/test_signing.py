import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.core.signing.jws import base64url, coordinates, raw_signature


def spki(curve: ec.EllipticCurve) -> bytes:
    return (
        ec.generate_private_key(curve)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (1, 1),
        (0x7F, 0x80),
        (2**255, 2**255),  # a leading zero byte each: the top bit is set
        (2**256 - 1, 1),
        (2**247 - 1, 2**248),  # a leading byte less, and one that is 1
        (2**128, 2**248 - 1),
    ],
)
def test_a_signature_in_der_becomes_r_and_s_of_32_bytes_each(r: int, s: int) -> None:
    assert raw_signature(encode_dss_signature(r, s)) == r.to_bytes(32) + s.to_bytes(32)


def test_every_real_signature_becomes_64_bytes() -> None:
    """About one in 128 signatures has a short r or s."""
    key = ec.derive_private_key(int.from_bytes(hashlib.sha256(b"a key").digest()), ec.SECP256R1())
    lengths = {
        len(raw_signature(key.sign(bytes([i]), ec.ECDSA(hashes.SHA256())))) for i in range(256)
    }
    assert lengths == {64}


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        b"\x31\x06\x02\x01\x01\x02\x01\x01",
        b"\x30\x07\x02\x01\x01\x02\x01\x01",
        b"\x30\x06\x03\x01\x01\x02\x01\x01",
        b"\x30\x06\x02\x01\x01\x02\x02\x01",
        b"\x30\x07\x02\x01\x01\x02\x01\x01\x00",
        b"\x30\x26\x02\x21" + b"\x01" * 33 + b"\x02\x01\x01",
    ],
)
def test_an_invalid_signature_is_refused(der: bytes) -> None:
    with pytest.raises(ValueError, match="This is no"):
        raw_signature(der)


def test_a_public_keys_coordinates_are_read_without_a_cryptography_package() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    x, y = coordinates(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    numbers = key.public_numbers()
    assert (x, y) == (numbers.x.to_bytes(32), numbers.y.to_bytes(32))


@pytest.mark.parametrize(
    "der",
    [b"", spki(ec.SECP256R1())[:-1], spki(ec.SECP384R1()), spki(ec.SECP256K1())],
    ids=["nothing", "one byte short", "P-384", "secp256k1"],
)
def test_another_kind_of_key_is_refused(der: bytes) -> None:
    with pytest.raises(ValueError, match="no public key on P-256"):
        coordinates(der)


def test_a_compressed_point_is_refused() -> None:
    der = bytearray(spki(ec.SECP256R1()))
    der[26] = 0x02
    with pytest.raises(ValueError, match="no public key on P-256"):
        coordinates(bytes(der))


def test_base64url_has_no_padding() -> None:
    assert base64url(b"\xfb\xff") == "-_8"
