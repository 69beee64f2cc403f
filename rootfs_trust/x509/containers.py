"""Telling by its first elements what a DER file is, so that a message can name it."""

from __future__ import annotations

from collections.abc import Callable

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader
from rootfs_trust.x509.primitive import INTEGER, NOTHING, OCTET_STRING, SEQUENCE

_PKCS7 = bytes.fromhex("2a864886f70d0107")  # 1.2.840.113549.1.7


def looks_like_pkcs7(data: bytes) -> bool:
    """A ContentInfo of PKCS #7 or CMS (RFC 5652, section 3)."""
    return _answer(_is_content_info, data)


def looks_like_pkcs12(data: bytes) -> bool:
    """A PFX of PKCS #12 (RFC 7292, section 4)."""
    return _answer(_is_pfx, data)


def looks_like_private_key_der(data: bytes) -> bool:
    """PKCS #8, plain or encrypted (RFC 5958), PKCS #1 (RFC 8017), SEC 1 (RFC 5915), or OpenSSL's DSA."""
    return _answer(_is_encrypted_key, data) or _answer(_is_private_key, data)


def _answer(question: Callable[[Reader], bool], data: bytes) -> bool:
    try:
        return question(Reader(data).enter(SEQUENCE))
    except MalformedError:
        return False


def _is_content_info(body: Reader) -> bool:
    return body.oid().startswith(_PKCS7)


def _is_pfx(body: Reader) -> bool:
    return body.integer() == b"\3" and _is_content_info(body.enter(SEQUENCE))


def _is_encrypted_key(body: Reader) -> bool:
    body.enter(SEQUENCE).oid()
    return body.next_tag() == OCTET_STRING


def _is_private_key(body: Reader) -> bool:
    """A small version number, and then what only keys have."""
    version = body.integer()
    kind = body.next_tag()
    if version not in (b"\0", b"\1") or kind not in (INTEGER, OCTET_STRING, SEQUENCE):
        return False
    if kind == SEQUENCE:
        body.enter(SEQUENCE).oid()
        return body.next_tag() == OCTET_STRING
    # A public RSA or DSA key has fewer numbers.
    return kind == OCTET_STRING or _count_integers(body) >= 5


def _count_integers(body: Reader) -> int:
    count = 0
    while body.next_tag() == INTEGER:
        body.integer()
        count += 1
    return count if body.next_tag() in (NOTHING, SEQUENCE) else 0
