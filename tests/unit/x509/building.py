"""Certificates and CRLs put together byte by byte, in DER and in worse forms. Signatures are nonsense."""

from __future__ import annotations

SIGNATURE = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256
KEY = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
COMMON_NAME = bytes.fromhex("0603550403")
BASIC_CONSTRAINTS, KEY_USAGE = "551d13", "551d0f"
CA_TRUE = bytes.fromhex("30030101ff")


def element(identifier: int, *contents: bytes) -> bytes:
    """One element in DER; the identifier has its constructed bit."""
    body = b"".join(contents)
    return bytes((identifier,)) + length(len(body)) + body


def length(number: int) -> bytes:
    return bytes((number,)) if number < 0x80 else long_length(number)


def long_length(number: int, zeros: int = 0) -> bytes:
    """The long form, which DER forbids below 128, and zeros in front, which it forbids everywhere."""
    octets = b"\0" * zeros + number.to_bytes(max(1, (number.bit_length() + 7) // 8))
    return bytes((0x80 | len(octets),)) + octets


def attribute(value: bytes, oid: bytes = COMMON_NAME) -> bytes:
    return element(0x30, oid, value)


def name(*values: bytes) -> bytes:
    """A name of one common name for each value, which is a whole element."""
    return element(0x30, *(element(0x31, attribute(value)) for value in values))


def utf8(text: str) -> bytes:
    return element(0x0C, text.encode())


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    said = element(0x01, b"\xff") if critical else b""
    return element(0x30, element(0x06, bytes.fromhex(oid)), said, element(0x04, value))


def certificate(
    subject: bytes,
    issuer: bytes | None = None,
    *,
    version: bytes = element(0xA0, element(0x02, b"\2")),
    serial: bytes = element(0x02, b"\1"),
    validity: bytes = element(0x30, element(0x17, b"200101000000Z"), element(0x17, b"491231235959Z")),
    key: bytes = element(0x30, KEY, element(0x03, b"\0\4" + b"\1" * 64)),
    extensions: tuple[bytes, ...] = (),
    tail: bytes = b"",
    signature: bytes = element(0x03, b"\0\1"),
) -> bytes:
    """A certificate whose every part can be replaced by any bytes."""
    listed = element(0xA3, element(0x30, *extensions)) if extensions else b""
    named = (subject if issuer is None else issuer) + validity + subject
    signed = element(0x30, version, serial, SIGNATURE, named, key, listed, tail)
    return element(0x30, signed, SIGNATURE, signature)


def crl(issuer: bytes, *, updates: bytes = element(0x17, b"200101000000Z"), revoked: bytes = b"") -> bytes:
    signed = element(0x30, element(0x02, b"\1"), SIGNATURE, issuer, updates, revoked)
    return element(0x30, signed, SIGNATURE, element(0x03, b"\0\1"))
