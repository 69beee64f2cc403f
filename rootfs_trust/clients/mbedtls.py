"""Programs with Mbed TLS (OpenWrt's own, many small ones): the bundle that they are pointed to.

mbedtls_x509_crt_parse skips what it cannot read and returns how many that were; some programs (fluent-bit, FFmpeg)
take that number for a failure and have no anchors then.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.clients.client import Client, FoundAnchors, fixed
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.openssl import default_bundle, library_folders
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.oids import CURVES

_SIGNATURES = ("withrsaencryption", "ecdsa", "pss")
_CURVES = (None, *(name for name in CURVES.values() if name != "SM2"))  # None: no EC key, or told elsewhere
_HANDLED = ("2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37", "2.16.840.1.113730.1.1")


def clients(reading: FileReader) -> Iterator[Client]:
    """``mbedtls``, where the tree has its library."""
    names = (name for folder in library_folders(reading) for name in reading.view.names(folder))
    if not any(name.startswith("libmbedx509.so") for name in names):
        return
    path = default_bundle(reading)
    file = reading.rust(path)
    if file is None:
        yield Client("mbedtls", "mbedtls", fixed(FoundAnchors((), path, (f"there is no {path}",))))
        return
    faults = [
        f"{each.certificate.subject.text or each.certificate.sha256[:16]} cannot be read: {fault}"
        for each in file.anchors
        if (fault := unread_by_mbedtls(each.certificate))
    ]
    faults += [file.fault] if file.fault else []
    told = f"of {path} {faults[0]}; programs that take this for a failure have no anchors at all" if faults else ""
    yield Client("mbedtls", "mbedtls", fixed(FoundAnchors(file.anchors, path, tuple(faults))), told)


def unread_by_mbedtls(certificate: Certificate) -> str:
    """Say why Mbed TLS cannot parse a certificate; empty if it can (x509_crt_parse_der_core)."""
    signed = certificate.signature_algorithm.lower()
    unknown = [oid for oid in certificate.critical if oid not in _HANDLED]
    named_curve = certificate.key_algorithm != "EC" or certificate.key_has_named_curve
    curve = CURVES.get(certificate.key_curve or "", certificate.key_curve)
    broken = certificate.alternative_names_are_broken or certificate.extended_key_usage == frozenset()
    faults = {
        f"Mbed TLS does not know keys of {certificate.key_algorithm}": certificate.key_algorithm not in ("RSA", "EC"),
        "Mbed TLS knows curves by their names only": not named_curve,
        f"Mbed TLS does not know the curve {curve}": curve not in _CURVES,
        f"Mbed TLS does not know the signature {certificate.signature_algorithm}": not any(
            word in signed for word in _SIGNATURES
        ),
        f"Mbed TLS does not know its critical extension {', '.join(unknown)}": bool(unknown),
        "an extension is in it twice": certificate.repeats_extension,
        "an extension in it is empty or malformed": broken,
        "its issuer has no name": not certificate.issuer.canonical,
        "its version is unknown": certificate.version not in (1, 2, 3),
    }
    return next((reason for reason, holds in faults.items() if holds), "")
