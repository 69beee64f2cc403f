"""Parse certificate revocation lists: only the issuer and the fingerprint are needed, for hash links.

Structure as d2i_X509_CRL reads it (crypto/x509/x_crl.c; RFC 5280, 5.1).
"""

from __future__ import annotations

from hashlib import sha256

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import INTEGER, NOTHING, SEQUENCE, DerReader
from rootfs_trust.x509.extensions import take_explicit_extensions, take_extensions
from rootfs_trust.x509.name import Name
from rootfs_trust.x509.public_key import take_algorithm
from rootfs_trust.x509.signed_object import SignedObject, reencode
from rootfs_trust.x509.times import take_time

_EXPLICIT_EXTENSIONS = 0x80


class CertificateList(SignedObject):
    """A certificate revocation list and its issuer."""

    def __init__(self, der: bytes, sha256: str, issuer: Name) -> None:
        super().__init__(der, sha256)
        self.issuer = issuer


def parse_crl(der: bytes, *, trailing: bool = False) -> CertificateList:
    """Parse one CRL. Raises MalformedError if OpenSSL refuses it. ``trailing`` is as for certificates."""
    reader = DerReader(der)
    body = reader.enter(SEQUENCE)
    begin = body.pos
    issuer = _take_signed(body)
    written = reencode(body.data[begin : body.pos], body)
    reader.leave(body)
    if reader.pos != len(der) and not trailing:
        raise MalformedError("more bytes follow the revocation list")
    return CertificateList(der[: reader.pos], sha256(written, usedforsecurity=False).hexdigest(), issuer)


def _take_signed(reader: DerReader) -> Name:
    """Take a TBSCertList; return its issuer."""
    body = reader.enter(SEQUENCE)
    if body.next_tag() == INTEGER:
        body.integer()
    take_algorithm(body)
    issuer = Name.take(body)
    take_time(body)
    if body.next_tag() not in (NOTHING, SEQUENCE, _EXPLICIT_EXTENSIONS):
        take_time(body)
    if body.next_tag() == SEQUENCE:
        _take_revoked(body)
    take_explicit_extensions(body, _EXPLICIT_EXTENSIONS)
    reader.leave(body)
    return issuer


def _take_revoked(reader: DerReader) -> None:
    revoked = reader.enter_list(SEQUENCE)
    while revoked.more():
        entry = revoked.enter(SEQUENCE)
        entry.integer()
        take_time(entry)
        if entry.more():
            take_extensions(entry)
        revoked.leave(entry)
    reader.leave(revoked)
