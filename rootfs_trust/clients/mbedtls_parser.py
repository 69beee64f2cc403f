"""Certificates that Mbed TLS's parser refuses."""

from __future__ import annotations

from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.oids import (
    BASIC_CONSTRAINTS,
    CURVES,
    EXTENDED_KEY_USAGE,
    KEY_USAGE,
    NETSCAPE_TYPE,
    SUBJECT_ALTERNATIVE_NAME,
)

_SIGNATURES = ("withrsaencryption", "ecdsa", "pss")
_CURVES = (None, *(name for name in CURVES.values() if name != "SM2"))  # None: no EC key, or another check reports it
_HANDLED = (KEY_USAGE, SUBJECT_ALTERNATIVE_NAME, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, NETSCAPE_TYPE)


def unread_by_mbedtls(certificate: Certificate) -> str:
    """Return the reason why Mbed TLS cannot parse a certificate (x509_crt_parse_der_core), or an empty string."""
    signed = certificate.signature_algorithm.lower()
    unknown = [oid for oid in certificate.critical if oid not in _HANDLED]
    named_curve = certificate.key_algorithm != "EC" or certificate.key_has_named_curve
    curve = CURVES.get(certificate.key_curve or "", certificate.key_curve)
    broken = certificate.alternative_names_are_broken or certificate.extended_key_usage == frozenset()
    faults = {
        f"Mbed TLS does not support keys of {certificate.key_algorithm}": certificate.key_algorithm
        not in ("RSA", "EC"),
        "Mbed TLS supports only named curves": not named_curve,
        f"Mbed TLS does not support the curve {curve}": curve not in _CURVES,
        f"Mbed TLS does not support the signature {certificate.signature_algorithm}": not any(
            word in signed for word in _SIGNATURES
        ),
        f"Mbed TLS does not support its critical extension {', '.join(unknown)}": bool(unknown),
        "it has an extension twice": certificate.repeats_extension,
        "an extension in it is empty or malformed": broken,
        "the name of its issuer is empty": not certificate.issuer.canonical,
        "its version is unknown": certificate.version not in (1, 2, 3),
    }
    return next((reason for reason, holds in faults.items() if holds), "")
