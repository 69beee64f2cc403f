"""Bytes of an input file become certificates, whatever container they came in. Pure.

PEM with one or many certificates (text, CRLF or a byte order mark around them), DER, PKCS#7, and Mozilla's
certdata.txt. All that is wrong with a file is collected; a file with any trouble gives no certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rootfs_trust import x509
from rootfs_trust.errors import MalformedError, Trouble
from rootfs_trust.store.purposes import Purposes, purposes_of_settings

_PKCS7_LABELS = ("PKCS7", "CMS", "PKCS #7 SIGNED DATA")


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate, the file it came from, and where in it: a line of PEM text, or None."""

    certificate: x509.Certificate
    path: str
    line: int | None
    alone: bool
    """Whether it is the only one of its file, which then may name it."""
    label: str = ""
    """The name that its file gives it, where it has one: Mozilla's list does."""
    purposes: Purposes = None
    """What OpenSSL's settings behind it trust it for, where it has such."""


@dataclass(slots=True)
class Reading:
    """The certificates of a file, or what is wrong with it, and what is to be told."""

    found: list[Found] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[Trouble] = field(default_factory=list)


def certificates(path: str, data: bytes, at: datetime) -> Reading:
    """The certificates in ``data``; or none, and what is wrong with it. ``at`` matters for Mozilla's list alone."""
    if x509.has_private_key(data) or x509.looks_like_private_key_der(data):
        return Reading(troubles=[_private_key(path, "the file holds a private key")])
    if x509.looks_like_pkcs12(data):
        return Reading(troubles=[_private_key(path, "the file is PKCS#12, a container for private keys")])
    if b"BEGINDATA" in data:
        from rootfs_trust.inputs.certdata import looks_like_certdata

        if looks_like_certdata(data):
            return _from_certdata(path, data, at)
    found, troubles = _from_container(path, data)
    return Reading(found, troubles)


def _from_certdata(path: str, data: bytes, at: datetime) -> Reading:
    """The roots of certdata.txt that Mozilla trusts for web sites, without those that have expired."""
    from rootfs_trust.inputs.certdata import anchors, certificates_of_certdata

    try:
        kept, notes = anchors(path, certificates_of_certdata(data), at)
    except MalformedError as error:
        return Reading(troubles=[Trouble("broken-certdata", path, error.message, "fetch the file again")])
    reading = Reading(notes=notes)
    for each in kept:
        ends = each.certificate.not_after
        if ends is not None and ends < at:
            message = f"{each.label} expired on {ends:%Y-%m-%d}, and is left out"
            reading.notes.append(Trouble("expired", f"{path}:{each.line}", message))
        else:
            reading.found.append(Found(each.certificate, path, each.line, alone=False, label=each.label))
    return reading


def _from_container(path: str, data: bytes) -> tuple[list[Found], list[Trouble]]:
    troubles: list[Trouble] = []
    pairs = list(_collect(path, data, troubles))
    if not pairs and not troubles:
        troubles.append(_nothing(path, data))
    if troubles:
        return [], troubles
    alone, blocks = len(pairs) == 1, _blocks_by_line(data)
    return [Found(each, path, line, alone, purposes=_purposes(each, blocks.get(line, b""))) for each, line in pairs], []


def _blocks_by_line(data: bytes) -> dict[int | None, bytes]:
    blocks = x509.blocks(data) if b"-----BEGIN " in data else ()
    return {block.line: block.der for block in blocks if isinstance(block, x509.Block)}


def _purposes(certificate: x509.Certificate, block: bytes) -> Purposes:
    """What the settings behind the certificate in its block say; OpenSSL reads them under any label of one."""
    settings = block.removeprefix(certificate.der)
    if not settings or settings == block:
        return None
    try:
        return purposes_of_settings(settings)
    except MalformedError:  # something else behind a plain certificate, which is dropped
        return None


def _collect(path: str, data: bytes, troubles: list[Trouble]) -> Iterator[tuple[x509.Certificate, int | None]]:
    if b"-----BEGIN " in data:
        yield from _from_pem(path, data, troubles)
    elif x509.looks_like_pkcs7(data):
        for certificate in _from_pkcs7(path, data, troubles):
            yield certificate, None
    elif data[:1] == b"\x30":
        for certificate in _from_der(path, data, troubles):
            yield certificate, None


def _from_pem(path: str, data: bytes, troubles: list[Trouble]) -> Iterator[tuple[x509.Certificate, int]]:
    objects = x509.read_objects(data)
    troubles += [
        _broken(f"{path}:{bad.line}", f"the {bad.label} block is broken: {bad.reason}")
        for bad in (*objects.bad, *x509.overlooked(data))
    ]
    for line, certificate in objects.certificates:
        yield certificate, line
    for block in objects.others:
        if block.label in _PKCS7_LABELS:
            for certificate in _from_pkcs7(f"{path}:{block.line}", block.der, troubles):
                yield certificate, block.line


def _from_der(path: str, data: bytes, troubles: list[Trouble]) -> Iterator[x509.Certificate]:
    try:
        yield x509.parse_certificate(data)
    except MalformedError as error:
        troubles.append(_broken(path, f"is no valid X.509 certificate: {error.message}"))


def _from_pkcs7(where: str, der: bytes, troubles: list[Trouble]) -> list[x509.Certificate]:
    """The certificates of a PKCS#7 SignedData (RFC 2315, 9.1), read by the cryptography library."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
    except ImportError:
        troubles.append(
            Trouble(
                "missing-package",
                where,
                "is PKCS#7, and reading that needs the Python package cryptography",
                "install cryptography, or convert it: openssl pkcs7 -print_certs -in FILE -out FILE.pem",
            )
        )
        return []
    try:
        found = pkcs7.load_der_pkcs7_certificates(der)
        return [x509.parse_certificate(each.public_bytes(Encoding.DER)) for each in found]
    except (ValueError, UnsupportedAlgorithm, MalformedError) as error:
        troubles.append(
            Trouble(
                "broken-pkcs7",
                where,
                f"is no PKCS#7 with certificates: {error}",
                "convert it: openssl pkcs7 -print_certs -in FILE -out FILE.pem",
            )
        )
        return []


def _broken(where: str, message: str) -> Trouble:
    return Trouble("broken-certificate", where, message, "export it again from where it came from")


def _private_key(path: str, message: str) -> Trouble:
    return Trouble(
        "private-key",
        path,
        f"{message}; secrets never enter an image",
        "give a file that holds the CA certificate alone",
    )


def _nothing(path: str, data: bytes) -> Trouble:
    what = "the file is empty" if not data.strip() else "no certificate was found in the file"
    return Trouble("no-certificate", path, what, "PEM, DER, PKCS#7 and certdata.txt are read")
