"""Certificate revocation lists: who issued one, and its fingerprint. Nothing else is asked of them here.

Structure as d2i_X509_CRL reads it (crypto/x509/x_crl.c; RFC 5280, 5.1).
"""

from __future__ import annotations

from hashlib import sha256

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader
from rootfs_trust.x509.name import Name
from rootfs_trust.x509.primitive import INTEGER, NOTHING, SEQUENCE
from rootfs_trust.x509.structure import (
    Fingerprinted,
    signed_whole,
    take_algorithm,
    take_explicit_extensions,
    take_extensions,
    take_time,
)

_EXPLICIT_EXTENSIONS = 0x80


class CertificateList(Fingerprinted):
    """One revocation list, and who issued it."""

    def __init__(self, der: bytes, sha256: str, issuer: Name) -> None:
        super().__init__(der, sha256)
        self.issuer = issuer


def parse_crl(der: bytes, *, trailing: bool = False) -> CertificateList:
    """Read one CRL; raises MalformedError where OpenSSL refuses it. ``trailing`` as for certificates."""
    reader = Reader(der)
    body = reader.enter(SEQUENCE)
    begin = body.pos
    issuer = _take_signed(body)
    written = signed_whole(body.data[begin : body.pos], body)
    reader.leave(body)
    if reader.pos != len(der) and not trailing:
        raise MalformedError("octets follow the revocation list")
    return CertificateList(der[: reader.pos], sha256(written, usedforsecurity=False).hexdigest(), issuer)


def _take_signed(reader: Reader) -> Name:
    """Take a TBSCertList; gives its issuer."""
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


def _take_revoked(reader: Reader) -> None:
    revoked = reader.enter_list(SEQUENCE)
    while revoked.more():
        entry = revoked.enter(SEQUENCE)
        entry.integer()
        take_time(entry)
        if entry.more():
            take_extensions(entry)
        revoked.leave(entry)
    reader.leave(revoked)
