"""Parse the certificates in the bytes of an input file.

Formats: PEM with one or many certificates (with surrounding text, CRLF or a byte order mark), DER, PKCS#7, Mozilla's
certdata.txt, JKS and PKCS#12 keystores without private keys, zip archives, and Kubernetes ConfigMaps and Secrets. They
may be in UTF-16, or base64 without PEM lines. Collects all problems of a file. A file with a problem gives no
certificate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rootfs_trust import x509
from rootfs_trust.errors import (
    BROKEN_CERTDATA,
    BROKEN_CERTIFICATE,
    BROKEN_PKCS7,
    EXPIRED,
    MISSING_PACKAGE,
    NO_CERTIFICATE,
    PEM_MALFORMED,
    MalformedError,
    Problem,
)
from rootfs_trust.inputs.files import private_key
from rootfs_trust.store.purposes import Purposes, purposes_of_settings

_PKCS7_LABELS = ("PKCS7", "CMS", "PKCS #7 SIGNED DATA")
_PEM, _BEGIN = b"-----BEGIN ", b"-----BEGIN CERTIFICATE-----"


class FoundCertificate(NamedTuple):
    """A certificate, the file that contains it, and the line of its PEM block, or None."""

    certificate: x509.Certificate
    path: str
    line: int | None
    alone: bool
    """Whether the file contains no other certificate. The anchor then gets the name of the file."""
    label: str = ""
    """The name of the certificate in the file, if the format has names, as Mozilla's list does."""
    purposes: Purposes = None
    """The purposes in OpenSSL's trust settings of a TRUSTED CERTIFICATE; None without such settings."""


@dataclass(slots=True)
class CertificatesRead:
    """The certificates of a file, or its problems, and warnings."""

    found: list[FoundCertificate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def add(self, part: CertificatesRead) -> None:
        """Add the certificates, problems and warnings of one part of the file."""
        self.found += part.found
        self.problems += part.problems
        self.notes += part.notes

    def complete(self) -> CertificatesRead:
        """Return this result, without certificates if it has problems."""
        return CertificatesRead(problems=self.problems, notes=self.notes) if self.problems else self


def certificates(path: str, data: bytes, at: datetime, depth: int = 0) -> CertificatesRead:
    """Return the certificates in ``data``, or its problems. ``at`` is used only for Mozilla's list.

    ``depth`` is the number of containers around ``data``.
    """
    if problem := private_key(path, data):
        return CertificatesRead(problems=[problem])
    if not data.startswith(_BEGIN):
        from rootfs_trust.inputs.certificate_containers import read_container

        if read := read_container(path, data, at, depth):
            return read
    if b"BEGINDATA" in data:
        from rootfs_trust.inputs.certdata import looks_like_certdata

        if looks_like_certdata(data):
            return _from_certdata(path, data, at)
    found, problems = _from_container(path, data)
    return CertificatesRead(found, problems)


def _from_certdata(path: str, data: bytes, at: datetime) -> CertificatesRead:
    """Return the roots of certdata.txt that Mozilla trusts for web sites and that have not expired."""
    from rootfs_trust.inputs.certdata import anchors, certificates_of_certdata

    try:
        kept, notes = anchors(path, certificates_of_certdata(data), at)
    except MalformedError as error:
        return CertificatesRead(problems=[BROKEN_CERTDATA(path, error.message)])
    reading = CertificatesRead(notes=notes)
    for each in kept:
        ends = each.certificate.not_after
        if ends is not None and ends < at:
            message = f"{each.label} expired on {ends.date()} and is not installed"
            reading.notes.append(EXPIRED(f"{path}:{each.line}", message))
        else:
            reading.found.append(FoundCertificate(each.certificate, path, each.line, alone=False, label=each.label))
    return reading


def _from_container(path: str, data: bytes) -> tuple[list[FoundCertificate], list[Problem]]:
    problems: list[Problem] = []
    blocks = x509.blocks(data) if _PEM in data else []
    pairs = list(_collect(path, data, blocks, problems))
    if not pairs and not problems:
        problems.append(_no_certificate(path, data))
    if problems:
        return [], problems
    alone, ders = len(pairs) == 1, {block.line: block.der for block in blocks if isinstance(block, x509.Block)}
    return [
        FoundCertificate(each, path, line, alone, purposes=_purposes(each, ders.get(line or 0, b"")))
        for each, line in pairs
    ], []


def _purposes(certificate: x509.Certificate, block: bytes) -> Purposes:
    """Return the purposes in the trust settings after the certificate. OpenSSL reads them with any label."""
    settings = block.removeprefix(certificate.der)
    if not settings or settings == block:
        return None
    try:
        return purposes_of_settings(settings)
    except MalformedError:  # other data after a plain certificate, which is dropped
        return None


def _collect(
    path: str, data: bytes, blocks: Sequence[x509.Block | x509.BadBlock], problems: list[Problem]
) -> Iterator[tuple[x509.Certificate, int | None]]:
    if _PEM in data:
        yield from _from_pem(path, data, blocks, problems)
    elif x509.looks_like_pkcs7(data):
        for certificate in _from_pkcs7(path, data, problems):
            yield certificate, None
    elif data[:1] == b"\x30":
        for certificate in _from_der(path, data, problems):
            yield certificate, None


def _from_pem(
    path: str, data: bytes, blocks: Sequence[x509.Block | x509.BadBlock], problems: list[Problem]
) -> Iterator[tuple[x509.Certificate, int]]:
    objects = x509.objects_in(blocks)
    problems += [
        PEM_MALFORMED(f"{path}:{bad.line}", f"the {bad.label} block is malformed: {bad.reason}")
        for bad in (*objects.bad, *x509.unrecognized_begin_lines(data, blocks))
    ]
    for line, certificate in objects.certificates:
        yield certificate, line
    for block in objects.others:
        if block.label in _PKCS7_LABELS:
            for certificate in _from_pkcs7(f"{path}:{block.line}", block.der, problems):
                yield certificate, block.line


def _from_der(path: str, data: bytes, problems: list[Problem]) -> Iterator[x509.Certificate]:
    try:
        yield x509.parse_certificate(data)
    except MalformedError as error:
        if not x509.looks_like_request(data):
            problems.append(BROKEN_CERTIFICATE(path, f"is not a valid X.509 certificate: {error.message}"))


def _from_pkcs7(where: str, der: bytes, problems: list[Problem]) -> list[x509.Certificate]:
    """Return the certificates of a PKCS#7 SignedData (RFC 2315, 9.1), parsed by the cryptography library."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
    except ModuleNotFoundError:
        problems.append(
            MISSING_PACKAGE(
                where,
                "is PKCS#7, which needs the Python package cryptography",
                "install rootfs-trust[pkcs7], or convert it: openssl pkcs7 -print_certs -in FILE -out FILE.pem",
            )
        )
        return []
    try:
        found = pkcs7.load_der_pkcs7_certificates(der)
        return [x509.parse_certificate(each.public_bytes(Encoding.DER)) for each in found]
    except (ValueError, UnsupportedAlgorithm, MalformedError) as error:
        problems.append(BROKEN_PKCS7(where, f"is not PKCS#7 with certificates: {error}"))
        return []


def _no_certificate(path: str, data: bytes) -> Problem:
    from rootfs_trust.inputs.mistaken_files import known_form

    what, instead = known_form(data)
    return NO_CERTIFICATE(path, what, instead)
