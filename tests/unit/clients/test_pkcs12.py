"""Java's PKCS #12 stores: what a key derivation may cost is known before it is begun."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from rootfs_trust.clients.pkcs12 import MAX_ITERATIONS, iterations, read_pkcs12
from rootfs_trust.errors import MalformedError
from rootfs_trust.store.pkcs12 import Pkcs12, Safe, trusted_bag, write_pkcs12
from rootfs_trust.x509.der import INTEGER, encode

ROUNDS = 2222
SCHEMES = {
    "PBES2": (pkcs12.PBES.PBESv2SHA256AndAES256CBC, SHA256()),
    "the older one": (pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, SHA1()),
}


def store(authority, scheme) -> bytes:
    if not hasattr(pkcs12, "serialize_java_truststore"):
        pytest.skip("this cryptography (before 45) reads trust stores, and does not write them")
    kdf, mac = scheme
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(ROUNDS).key_cert_algorithm(kdf).hmac_hash(mac)
    anchor = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(authority.pem), b"a")
    return pkcs12.serialize_java_truststore([anchor], builder.build(b"changeit"))


def with_rounds(data: bytes, rounds: int) -> bytes:
    """``data`` asking for ``rounds`` wherever it asked for ROUNDS; as many octets as before only fit small numbers."""
    return data.replace(encode(INTEGER, ROUNDS.to_bytes(2)), encode(INTEGER, rounds.to_bytes(2)))


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_a_store_that_asks_for_little_is_read(authority, scheme):
    data = store(authority, scheme)
    assert read_pkcs12(data) == [authority.der]
    assert ROUNDS < iterations(data) < 3 * ROUNDS, "those of the content, and those of the MAC"


def test_a_root_with_a_negative_serial_number_is_read_without_a_warning(authority):
    """Warnings are errors in these tests."""
    number = authority.certificate.serial_number
    serial = encode(INTEGER, number.to_bytes(number.bit_length() // 8 + 1))
    negative = authority.der.replace(serial, serial[:2] + bytes([serial[2] | 0x80]) + serial[3:], 1)
    data = write_pkcs12(Pkcs12((Safe((trusted_bag("a", negative),)),), None))
    assert read_pkcs12(data) == [negative]


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_every_derivation_counts(authority, scheme, monkeypatch):
    data = store(authority, scheme)
    assert iterations(with_rounds(data, 22222)) - iterations(data) in (22222 - ROUNDS, 2 * (22222 - ROUNDS))
    monkeypatch.setattr("rootfs_trust.clients.pkcs12.MAX_ITERATIONS", ROUNDS - 1)
    with pytest.raises(MalformedError, match="iterations"):
        read_pkcs12(data)


def test_a_store_that_asks_for_hours_is_refused_at_once():
    data = hostile(2**31 - 1)
    begin = time.process_time()
    with pytest.raises(MalformedError, match=f"2147483647 iterations .* more than {MAX_ITERATIONS}"):
        read_pkcs12(data)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("data", [b"0\0", b"0\x03\x02\x01\x03", b"\x30\x80" * 10_000])
def test_what_is_none_is_reported(data):
    with pytest.raises(MalformedError):
        read_pkcs12(data)


def hostile(rounds: int) -> bytes:
    """A PFX without content whose MAC is derived in ``rounds`` (RFC 7292, 4)."""
    number = encode(INTEGER, rounds.to_bytes(4))
    data = bytes.fromhex("06092a864886f70d010701")
    safe = encode(0x30, data + encode(0x80, encode(4, encode(0x30, b""))).replace(b"\x80", b"\xa0", 1))
    algorithm = encode(0x30, bytes.fromhex("06052b0e03021a") + b"\x05\0")
    mac = encode(0x30, encode(0x30, algorithm + encode(4, bytes(20))) + encode(4, bytes(8)) + number)
    return encode(0x30, encode(INTEGER, b"\3") + safe + mac)
