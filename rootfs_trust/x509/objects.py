"""What one file holds, as `openssl rehash` and OpenSSL's directory lookup see it.

PEM only: PEM_X509_INFO_read_bio (crypto/pem/pem_info.c), X509_load_cert_file (crypto/x509/by_file.c).
"""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.certificate import Certificate, take_certificate
from rootfs_trust.x509.crl import CertificateList, parse_crl
from rootfs_trust.x509.der import Reader
from rootfs_trust.x509.keys import check_key
from rootfs_trust.x509.pem import BadBlock, Block, blocks
from rootfs_trust.x509.primitive import OCTET_STRING, SEQUENCE, UTF8_STRING
from rootfs_trust.x509.structure import take_algorithm

_CERTIFICATE = frozenset(("CERTIFICATE", "X509 CERTIFICATE"))
_TRUSTED = "TRUSTED CERTIFICATE"
_CRL = "X509 CRL"
_PRIVATE_KEY = "PRIVATE KEY"
_REJECTED, _OTHER = 0x80, 0x81


class Objects(NamedTuple):
    """What the PEM blocks of a file hold, in order, each with the line of its BEGIN.

    ``keys``    labels of private keys, of which nothing more is read.
    ``others``  blocks that have no part in trust: requests, parameters, PKCS #7.
    ``bad``     blocks that do not hold what their label says, or that OpenSSL cannot read.
    ``spoilt``  lines of certificates with octets behind them that are no trust settings: `openssl rehash` links
                such a file, and then OpenSSL's directory lookup, which looks for settings behind every
                certificate, cannot load it.
    """

    certificates: tuple[tuple[int, Certificate], ...] = ()
    crls: tuple[tuple[int, CertificateList], ...] = ()
    keys: tuple[tuple[int, str], ...] = ()
    others: tuple[Block, ...] = ()
    bad: tuple[BadBlock, ...] = ()
    spoilt: tuple[int, ...] = ()


def read_objects(data: bytes) -> Objects:
    """Sort the PEM blocks of a file. Never raises: what is bad is told."""
    certificates, crls, keys, others, bad = [], [], [], [], []
    spoilt: list[int] = []
    for block in blocks(data):
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
    certificate = take_certificate(Reader(block.der))
    if len(certificate.der) != len(block.der) and not _can_be_trusted(block.der):
        spoilt.append(block.line)
    return certificate


def trusted_certificate(der: bytes) -> Certificate:
    """The certificate of a TRUSTED CERTIFICATE; OpenSSL's trust settings behind it are checked and dropped.

    Source: d2i_X509_AUX in crypto/x509/x_x509.c, X509_CERT_AUX in x_x509a.c.
    """
    reader = Reader(der)
    certificate = take_certificate(reader)
    if reader.pos < len(der):
        _take_trust_settings(reader)
    return certificate


def _can_be_trusted(der: bytes) -> bool:
    try:
        trusted_certificate(der)
    except MalformedError:
        return False
    return True


def _take_trust_settings(reader: Reader) -> None:
    body = reader.enter(SEQUENCE)
    for tag in (SEQUENCE, _REJECTED):
        if body.next_tag() == tag:
            purposes = body.enter_list(tag)
            while purposes.more():
                purposes.oid()
            body.leave(purposes)
    for tag in (UTF8_STRING, OCTET_STRING):
        if body.next_tag() == tag:
            body.value(tag)
    if body.next_tag() == _OTHER:
        algorithms = body.enter_list(_OTHER)
        while algorithms.more():
            take_algorithm(algorithms)
        body.leave(algorithms)
    reader.leave(body)
