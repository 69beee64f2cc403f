"""Private keys: which blocks OpenSSL gets through, and which octets are those of a key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from rootfs_trust.x509 import looks_like_pkcs12, read_objects
from rootfs_trust.x509.pem_objects import looks_like_private_key_der

from .building import element

IV = "00112233445566778899AABBCCDDEEFF"


def keys_with(*lines: str) -> int:
    text = "\n".join(("-----BEGIN RSA PRIVATE KEY-----", *lines, "", "AAAA", "-----END RSA PRIVATE KEY-----", ""))
    return len(read_objects(text.encode()).keys)


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        (("Proc-Type: 4,ENCRYPTED", f"DEK-Info: AES-128-CBC,{IV}"), True),
        (("Proc-Type:4,ENCRYPTED", f"DEK-Info: DES-CBC, {IV[:16]}"), True),
        (("Proc-Type:\t 4,ENCRYPTED", f"DEK-Info:DES-CBC,\t{IV[:16].lower()}"), True),
        (("Proc-Type: 4,ENCRYPTED", f"DEK-Info: DES-CBC,{IV[:16]}", "Other: line"), True),
        (("Proc-Type: 4,ENCRYPTED", f"DEK-Info: DES-CBC,{IV[:15]}"), False),
        (("Proc-Type: 4,ENCRYPTED", f"DEK-Info: DES-CBC,{IV[:14]}XX"), False),
        (("Proc-Type: 4,ENCRYPTED", f"DEK-Info: DES-CBC,1,{IV[:16]}"), False),
        (("Proc-Type: 4,ENCRYPTED", "Other: line", f"DEK-Info: DES-CBC,{IV[:16]}"), False),
        (("Proc-Type: 4,MIC-ONLY", f"DEK-Info: DES-CBC,{IV[:16]}"), False),
        (("Proc: Type: 4,ENCRYPTED", f"DEK-Info: DES-CBC,{IV[:16]}"), False),
        (("Proc-Type: 4,ENCRYPTED", f"x:DEK-Info: DES-CBC,{IV[:16]}"), False),
        (("Proc-Type: 4,ENCRYPTED",), False),
    ],
)
def test_headers_of_encrypted_keys(lines: tuple[str, ...], good: bool) -> None:
    """RFC 1421, 4.6.1.1 and 4.6.1.3, as PEM_get_EVP_CIPHER_INFO reads them."""
    assert keys_with(*lines) == good


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_real_keys_of_each_kind_and_form(form: PrivateFormat) -> None:
    for key in (
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(65537, 1024),
        dsa.generate_private_key(1024),
    ):
        der = key.private_bytes(Encoding.DER, form, NoEncryption())
        assert looks_like_private_key_der(der)
        assert len(read_objects(key.private_bytes(Encoding.PEM, form, NoEncryption())).keys) == 1
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert not looks_like_private_key_der(public)


def test_an_encrypted_key_of_pkcs8() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    secret = BestAvailableEncryption(b"secret")
    assert looks_like_private_key_der(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, secret))
    objects = read_objects(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    assert [label for _, label in objects.keys] == ["ENCRYPTED PRIVATE KEY"]


@pytest.mark.parametrize(
    ("contents", "key"),
    [
        ((b"\2\1\0" * 6,), True),
        ((b"\2\1\0" * 5,), False),
        ((b"\2\1\0" * 9, element(0x30)), True),
        ((b"\2\1\0" * 9, element(4, b"")), False),
        ((b"\2\1\2", element(4, b"")), False),
        ((b"\2\1\2", b"\2\1\0" * 9), False),
        ((b"\2\1\1", element(4, b"")), True),
        ((b"\2\1\1", element(0x0C, b"")), False),
        ((b"\2\1\1", element(3, b"\0")), False),
        ((b"\2\1\0", element(0x30, b"\6\1\x2a"), element(3, b"\0")), False),
    ],
)
def test_what_only_keys_have(contents: tuple[bytes, ...], key: bool) -> None:
    assert looks_like_private_key_der(element(0x30, *contents)) is key


def test_a_content_info_behind_another_version_is_not_a_pkcs12() -> None:
    inside = element(0x30, element(6, bytes.fromhex("2a864886f70d010701")))
    assert looks_like_pkcs12(element(0x30, b"\2\1\3", inside))
    assert not looks_like_pkcs12(element(0x30, b"\2\1\1", inside))
    assert not looks_like_pkcs12(element(0x30, b"\2\1\3", element(0x30, b"\6\1\x2a")))
