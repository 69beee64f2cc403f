"""Find the objects in one PEM file, as `openssl rehash` and OpenSSL's directory lookup do.

Sources: PEM_X509_INFO_read_bio (crypto/pem/pem_info.c), X509_load_cert_file (crypto/x509/by_file.c).

DER files of other kinds (PKCS #7, PKCS #12, private keys) are recognised by their first elements, so that a message can
name them. Private keys are not parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.certificate import Certificate, take_certificate
from rootfs_trust.x509.crl import CertificateList, parse_crl
from rootfs_trust.x509.der import INTEGER, NOTHING, OCTET_STRING, SEQUENCE, SET, UTF8_STRING, DerReader
from rootfs_trust.x509.oids import ANY_PURPOSE, dotted
from rootfs_trust.x509.pem import BadBlock, Block, blocks
from rootfs_trust.x509.public_key import take_algorithm

_PKCS7 = bytes.fromhex("2a864886f70d0107")  # 1.2.840.113549.1.7


def looks_like_pkcs7(data: bytes) -> bool:
    """Return whether ``data`` is a ContentInfo of PKCS #7 or CMS (RFC 5652, section 3)."""
    return matches_structure(_is_content_info, data)


def looks_like_pkcs12(data: bytes) -> bool:
    """Return whether ``data`` is a PFX of PKCS #12 (RFC 7292, section 4)."""
    return matches_structure(_is_pfx, data)


def looks_like_request(data: bytes) -> bool:
    """Return whether ``data`` is a CertificationRequest (RFC 2986, section 4.2)."""
    return matches_structure(_is_request, data)


def matches_structure(question: Callable[[DerReader], bool], data: bytes) -> bool:
    """Apply a test to the contents of the SEQUENCE at the start of ``data``. Return False if ``data`` is malformed."""
    try:
        return question(DerReader(data).enter(SEQUENCE))
    except MalformedError:
        return False


def _is_content_info(body: DerReader) -> bool:
    return body.oid().startswith(_PKCS7)


def _is_pfx(body: DerReader) -> bool:
    return body.integer() == b"\3" and _is_content_info(body.enter(SEQUENCE))


def _is_request(body: DerReader) -> bool:
    """Return whether the contents begin with version 0, a Name and a key. A certificate of version 1 has an algorithm
    after its serial number.
    """
    information = body.enter(SEQUENCE)
    if information.integer() != b"\0":
        return False
    subject = information.enter(SEQUENCE)
    if subject.more() and subject.next_tag() != SET:
        return False
    information.enter(SEQUENCE).enter(SEQUENCE).oid()
    return True


_ENCRYPTED = "ENCRYPTED PRIVATE KEY"
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
_LEAST_IV = 16  # hexadecimal digits


def looks_like_private_key_der(data: bytes) -> bool:
    """Return whether ``data`` is a private key: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017), SEC 1 (RFC 5915) or DSA."""
    return matches_structure(_is_encrypted_key, data) or matches_structure(_is_private_key, data)


def check_key(block: Block) -> None:
    """Raise MalformedError if OpenSSL would refuse a file because of this block with a private key.

    Source: PEM_X509_INFO_read_bio and PEM_get_EVP_CIPHER_INFO. An invalid key, or one of another kind than its label
    says, passes.
    """
    if block.header:
        if not _is_encryption_header(block.header):
            raise MalformedError("it has a header without encryption")
    elif block.label != _ENCRYPTED and not matches_structure(_is_private_key, block.der):
        raise MalformedError("it contains no private key")


def _is_encryption_header(header: bytes) -> bool:
    """Return whether the header has the two lines of RFC 1421, section 4.6: Proc-Type, and DEK-Info with a cipher."""
    first, _, rest = header.partition(b"\n")
    kind, _, processing = first.partition(b":")
    field, _, information = rest.partition(b"\n")[0].partition(b":")
    vector = information.partition(b",")[2].strip(b" \t")
    return (
        (kind, processing.strip(b" \t")) == (b"Proc-Type", b"4,ENCRYPTED")
        and field == b"DEK-Info"
        and len(vector) >= _LEAST_IV
        and _HEX_DIGITS.issuperset(vector)
    )


def _is_encrypted_key(body: DerReader) -> bool:
    body.enter(SEQUENCE).oid()
    return body.next_tag() == OCTET_STRING


def _is_private_key(body: DerReader) -> bool:
    """Return whether the contents are those of a private key: a small version number, and the elements of a key."""
    version = body.integer()
    kind = body.next_tag()
    if version not in (b"\0", b"\1") or kind not in (INTEGER, OCTET_STRING, SEQUENCE):
        return False
    if kind == SEQUENCE:
        body.enter(SEQUENCE).oid()
        return body.next_tag() == OCTET_STRING
    # A public RSA or DSA key has fewer numbers.
    return kind == OCTET_STRING or _count_integers(body) >= 5


def _count_integers(body: DerReader) -> int:
    count = 0
    while body.next_tag() == INTEGER:
        body.value(INTEGER)  # OpenSSL accepts leading zero bytes here
        count += 1
    return count if body.next_tag() in (NOTHING, SEQUENCE) else 0


_CERTIFICATE = frozenset(("CERTIFICATE", "X509 CERTIFICATE"))
_TRUSTED = "TRUSTED CERTIFICATE"
_CRL = "X509 CRL"
_PRIVATE_KEY = "PRIVATE KEY"
_REJECTED, _OTHER = 0x80, 0x81


class Objects(NamedTuple):
    """The objects in the PEM blocks of a file, in order, each with the line of its BEGIN.

    ``keys``    labels of private keys, which are not parsed.
    ``others``  blocks that do not matter for trust: requests, parameters, PKCS #7.
    ``bad``     blocks that do not contain what their label says, or that OpenSSL cannot read.
    ``spoilt``  lines of certificates with more bytes after them that are not trust settings. `openssl rehash` links
                such a file, but OpenSSL's directory lookup, which expects settings there, cannot load it.
    """

    certificates: tuple[tuple[int, Certificate], ...] = ()
    crls: tuple[tuple[int, CertificateList], ...] = ()
    keys: tuple[tuple[int, str], ...] = ()
    others: tuple[Block, ...] = ()
    bad: tuple[BadBlock, ...] = ()
    spoilt: tuple[int, ...] = ()


class TrustSettings(NamedTuple):
    """OpenSSL's trust settings after a certificate (X509_CERT_AUX in crypto/x509/x_x509a.c).

    ``trusted`` and ``rejected`` are purposes as dotted OIDs, or None without the list. ``key_id`` is the whole element.
    """

    trusted: tuple[str, ...] | None
    rejected: tuple[str, ...] | None
    alias: bytes | None
    key_id: bytes

    def allows(self, purpose: str) -> bool:
        """Return whether OpenSSL accepts the certificate as an anchor for the OID ``purpose`` (obj_trust)."""
        both = {purpose, ANY_PURPOSE}
        if both.intersection(self.rejected or ()):
            return False
        return self.trusted is None or bool(both.intersection(self.trusted))


def read_objects(data: bytes) -> Objects:
    """Sort the PEM blocks of a file. Never raises; bad blocks are part of the result."""
    return objects_in(blocks(data))


def objects_in(found: Iterable[Block | BadBlock]) -> Objects:
    """Sort PEM blocks by what they contain. Never raises; bad blocks are part of the result."""
    certificates, crls, keys, others, bad = [], [], [], [], []
    spoilt: list[int] = []
    for block in found:
        try:
            if isinstance(block, BadBlock):
                bad.append(block)
            elif block.label in _CERTIFICATE:
                certificates.append((block.line, _plain_certificate(block, spoilt)))
            elif block.label == _TRUSTED:
                certificates.append((block.line, trusted_certificate(block.der)))
            elif block.label == _CRL:
                crls.append((block.line, parse_crl(block.der, trailing=True)))
            elif _PRIVATE_KEY in block.label:
                check_key(block)
                keys.append((block.line, block.label))
            else:
                others.append(block)
        except MalformedError as error:
            bad.append(BadBlock(block.label, block.line, error.message))
    trusted = tuple(certificates), tuple(crls)
    return Objects(*trusted, tuple(keys), tuple(others), tuple(bad), tuple(spoilt))


def _plain_certificate(block: Block, spoilt: list[int]) -> Certificate:
    certificate = take_certificate(DerReader(block.der))
    if len(certificate.der) != len(block.der) and not _can_be_trusted(block.der):
        spoilt.append(block.line)
    return certificate


def trusted_certificate(der: bytes) -> Certificate:
    """Return the certificate of a TRUSTED CERTIFICATE. OpenSSL's trust settings after it are checked and dropped.

    Source: d2i_X509_AUX in crypto/x509/x_x509.c, X509_CERT_AUX in x_x509a.c.
    """
    reader = DerReader(der)
    certificate = take_certificate(reader)
    if reader.pos < len(der):
        take_trust_settings(reader)
    return certificate


def _can_be_trusted(der: bytes) -> bool:
    try:
        trusted_certificate(der)
    except MalformedError:
        return False
    return True


def take_trust_settings(reader: DerReader) -> TrustSettings:
    """Take X509_CERT_AUX, which follows the certificate in a TRUSTED CERTIFICATE. Raises MalformedError."""
    body = reader.enter(SEQUENCE)
    trusted, rejected = _take_purposes(body, SEQUENCE), _take_purposes(body, _REJECTED)
    alias = body.value(UTF8_STRING) if body.next_tag() == UTF8_STRING else None
    begin = body.pos
    if body.next_tag() == OCTET_STRING:
        body.value(OCTET_STRING)
    key_id = body.data[begin : body.pos]
    if body.next_tag() == _OTHER:
        algorithms = body.enter_list(_OTHER)
        while algorithms.more():
            take_algorithm(algorithms)
        body.leave(algorithms)
    reader.leave(body)
    return TrustSettings(trusted, rejected, alias, key_id)


def _take_purposes(body: DerReader, tag: int) -> tuple[str, ...] | None:
    if body.next_tag() != tag:
        return None
    purposes = body.enter_list(tag)
    oids = tuple(dotted(purposes.oid()) for _ in iter(purposes.more, False))
    body.leave(purposes)
    return oids
