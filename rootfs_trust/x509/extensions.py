"""Parse the extensions of certificates and CRLs, and their values.

The ``take_`` functions follow the template of crypto/x509/x_exten.c. Functions for the value of one extension raise
MalformedError if it is invalid. As in X509V3_EXT_d2i, bytes after the value are ignored.
"""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.x509.der import (
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    DerReader,
    reader_for_element,
)
from rootfs_trust.x509.oids import KEY_USAGES, dotted

# Contents of the OID and of the OCTET STRING, without the critical flag.
Extension = tuple[bytes, bytes]

_CONTEXT_0 = 0x80
_SERVER_NAMES = (0x82, 0x87)  # dNSName and iPAddress
_NETSCAPE_CA_BITS = 0x07  # NS_ANY_CA


def take_extensions(reader: DerReader) -> bytes:
    """Take a SEQUENCE OF Extension; return the whole element for :func:`read_extensions`."""
    begin = reader.pos
    body = reader.enter_list(SEQUENCE)
    while body.more():
        _take_extension(body)
    reader.leave(body)
    return reader.data[begin : reader.pos]


def _take_extension(reader: DerReader) -> Extension:
    body = reader.enter(SEQUENCE)
    oid = body.oid()
    if body.next_tag() == BOOLEAN:
        body.boolean()
    value = body.value(OCTET_STRING)
    reader.leave(body)
    return oid, value


def take_explicit_extensions(reader: DerReader, tag: int) -> bytes:
    """Like :func:`take_extensions`, inside an explicit ``tag``; return nothing if the next element has another tag."""
    if reader.next_tag() != tag:
        return b""
    outer = reader.enter(tag)
    found = take_extensions(outer)
    reader.leave(outer)
    return found


def read_extensions(element: bytes) -> list[Extension]:
    """Parse the extensions that :func:`take_extensions` returned."""
    if not element:
        return []
    body = reader_for_element(element).enter_list(SEQUENCE)
    return [_take_extension(body) for _ in iter(body.more, False)]


def critical_extensions(element: bytes) -> list[bytes]:
    """Return the OIDs of the critical extensions."""
    if not element:
        return []
    body = reader_for_element(element).enter_list(SEQUENCE)
    return [oid for _ in iter(body.more, False) if (oid := _take_if_critical(body))]


def _take_if_critical(reader: DerReader) -> bytes:
    body = reader.enter(SEQUENCE)
    oid = body.oid()
    critical = body.next_tag() == BOOLEAN and body.boolean()
    body.value(OCTET_STRING)
    reader.leave(body)
    return oid if critical else b""


class BasicConstraints(NamedTuple):
    """RFC 5280, 4.2.1.9: whether it is a CA, and the maximum number of CAs below it (None: any number)."""

    ca: bool
    path_length: int | None


def basic_constraints(value: bytes) -> BasicConstraints:
    """Parse BasicConstraints (RFC 5280, 4.2.1.9)."""
    body = DerReader(value).enter(SEQUENCE)
    ca = body.boolean() if body.next_tag() == BOOLEAN else False
    length = int.from_bytes(body.integer(), signed=True) if body.next_tag() == INTEGER else None
    DerReader(b"").leave(body)
    return BasicConstraints(ca, length)


def key_usage(value: bytes) -> frozenset[str]:
    """Return the names of the bits that are set in KeyUsage (RFC 5280, 4.2.1.3)."""
    bits = DerReader(value).bit_string()[1:3]
    return frozenset(name for n, name in enumerate(KEY_USAGES) if n // 8 < len(bits) and bits[n // 8] & 0x80 >> n % 8)


def extended_key_usage(value: bytes) -> frozenset[str]:
    """Return the dotted OIDs of ExtKeyUsageSyntax (RFC 5280, 4.2.1.12)."""
    body = DerReader(value).enter_list(SEQUENCE)
    usages = frozenset(dotted(body.oid()) for _ in iter(body.more, False))
    DerReader(b"").leave(body)
    return usages


def subject_key_id(value: bytes) -> bytes:
    """Parse SubjectKeyIdentifier (RFC 5280, 4.2.1.2)."""
    return DerReader(value).value(OCTET_STRING)


def authority_key_id(value: bytes) -> bytes | None:
    """Return the keyIdentifier of AuthorityKeyIdentifier, or None (RFC 5280, 4.2.1.1)."""
    body = DerReader(value).enter(SEQUENCE)
    return body.value(_CONTEXT_0) if body.next_tag() == _CONTEXT_0 else None


def names_servers(value: bytes) -> bool:
    """Return whether GeneralNames contains a dNSName or an iPAddress (RFC 5280, 4.2.1.6)."""
    body = DerReader(value).enter_list(SEQUENCE)
    return any(body.any()[0] in _SERVER_NAMES for _ in iter(body.more, False))


def netscape_ca(value: bytes) -> bool:
    """Return whether the old Netscape certificate type names any kind of CA."""
    return bool(int.from_bytes(DerReader(value).bit_string()[1:2]) & _NETSCAPE_CA_BITS)
