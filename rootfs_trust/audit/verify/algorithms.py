"""Tables of the keys that each TLS client supports, by version: for signing certificates, and for servers.

A key that is in no table is refused, so a new algorithm is never trusted by mistake. The table of a variant, such as
rustls with aws-lc-rs, has the keys that it supports in addition. Rows without a source were tested with the versions in
docs/verify.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from rootfs_trust.audit.verify.assumed_versions import ASSUMED, Numbers, Version, dotted
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.oids import CURVES

_FAMILIES = ("ML-DSA", "SLH-DSA", "brainpool")
_WITH_VARIANTS = ("rustls",)
_SPELLED_OUT = "EC with a curve that is spelled out"


class KnownKeyType(NamedTuple):
    """A kind of key that a client supports, from the version ``since`` on and before the version ``before``."""

    kind: str
    since: Numbers = ()
    before: Numbers = ()
    source: str = ""


Table = Mapping[str, tuple[KnownKeyType, ...]]
Ask = Callable[[], Version]
"""A function that looks up the version of a client's library. It is called only if the version matters."""

ISSUERS: Table = {
    "openssl": (
        KnownKeyType("RSA"),
        KnownKeyType("RSA-PSS", (1, 1, 1), source="CHANGES of OpenSSL 1.1.1"),
        KnownKeyType("DSA"),
        KnownKeyType("P-192"),
        KnownKeyType("P-224"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("secp256k1"),
        KnownKeyType("brainpool", (1, 0, 2), source="CHANGES of OpenSSL 1.0.2"),
        KnownKeyType("Ed25519", (1, 1, 1), source="CHANGES of OpenSSL 1.1.1"),
        KnownKeyType("Ed448", (1, 1, 1), source="CHANGES of OpenSSL 1.1.1"),
        KnownKeyType("ML-DSA", (3, 5), source="CHANGES of OpenSSL 3.5"),
        KnownKeyType("SLH-DSA", (3, 5), source="CHANGES of OpenSSL 3.5"),
        KnownKeyType("SM2", (4, 0), source="3.0 refuses it and 4.0 accepts it, both tested"),
    ),
    "gnutls": (
        KnownKeyType("RSA"),
        KnownKeyType("RSA-PSS", (3, 6), source="NEWS of GnuTLS 3.6.0"),
        KnownKeyType("DSA"),
        KnownKeyType("P-192"),
        KnownKeyType("P-224"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("Ed25519", (3, 6), source="NEWS of GnuTLS 3.6.0"),
        KnownKeyType("Ed448", (3, 6, 12), source="NEWS of GnuTLS 3.6.12"),
    ),
    "go": (
        KnownKeyType("RSA"),
        KnownKeyType("P-224"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("Ed25519", (1, 13), source="release notes of Go 1.13"),
        KnownKeyType("ML-DSA", (1, 27), source="crypto/x509/parser.go of Go 1.27"),
    ),
    "rustls": (KnownKeyType("RSA"), KnownKeyType("P-256"), KnownKeyType("P-384"), KnownKeyType("Ed25519")),
    "rustls with aws-lc-rs": (
        KnownKeyType("P-521"),
        KnownKeyType("ML-DSA", (0, 103, 17), source="tried with rustls-webpki 0.103.17 and aws-lc-rs 1.19"),
    ),
    "java": (
        KnownKeyType("RSA"),
        KnownKeyType("RSA-PSS", (11,), source="JDK-8146293"),
        KnownKeyType("DSA"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("Ed25519", (15,), source="JEP 339"),
        KnownKeyType("Ed448", (15,), source="JEP 339"),
        KnownKeyType("ML-DSA", (24,), source="JEP 497"),
    ),
    "mbedtls": (
        KnownKeyType("RSA"),
        KnownKeyType("P-192", before=(3,), source="mbedtls_x509_crt_profile_default of Mbed TLS 3.0"),
        KnownKeyType("P-224", before=(3,), source="mbedtls_x509_crt_profile_default of Mbed TLS 3.0"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("secp256k1", before=(3,), source="mbedtls_x509_crt_profile_default of Mbed TLS 3.0"),
        KnownKeyType("brainpool"),
    ),
}
"""Keys with which a client can verify the signature of a certificate."""

SERVERS: Table = {
    "openssl": (
        KnownKeyType("RSA"),
        KnownKeyType("RSA-PSS", (1, 1, 1), source="CHANGES of OpenSSL 1.1.1"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("brainpool", (3, 2), source="CHANGES of OpenSSL 3.2"),
        KnownKeyType("Ed25519", (1, 1, 1), source="CHANGES of OpenSSL 1.1.1"),
        KnownKeyType("Ed448", (1, 1, 1), source="CHANGES of OpenSSL 1.1.1"),
        KnownKeyType("ML-DSA", (3, 5), source="CHANGES of OpenSSL 3.5"),
    ),
    "gnutls": (
        KnownKeyType("RSA"),
        KnownKeyType("RSA-PSS", (3, 6), source="NEWS of GnuTLS 3.6.0"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("Ed25519", (3, 6), source="NEWS of GnuTLS 3.6.0"),
        KnownKeyType("Ed448", (3, 6, 12), source="NEWS of GnuTLS 3.6.12"),
    ),
    "go": (
        KnownKeyType("RSA"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("Ed25519", (1, 13), source="release notes of Go 1.13"),
        KnownKeyType("ML-DSA", (1, 27), source="crypto/tls/auth.go of Go 1.27"),
    ),
    "rustls": (KnownKeyType("RSA"), KnownKeyType("P-256"), KnownKeyType("P-384"), KnownKeyType("Ed25519")),
    "rustls with aws-lc-rs": (
        KnownKeyType("P-521"),
        KnownKeyType(
            "ML-DSA", (0, 103, 17), source="tried with rustls 0.23.46, rustls-webpki 0.103.17 and aws-lc-rs 1.19"
        ),
    ),
    "java": (
        KnownKeyType("RSA"),
        KnownKeyType("RSA-PSS", (11,), source="JDK-8146293"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("Ed25519", (15,), source="JDK-8166596"),
        KnownKeyType("Ed448", (15,), source="JDK-8166596"),
    ),
    "mbedtls": (
        KnownKeyType("RSA"),
        KnownKeyType("P-224", before=(3,), source="ssl_preset_default_curves of Mbed TLS 3.0"),
        KnownKeyType("P-256"),
        KnownKeyType("P-384"),
        KnownKeyType("P-521"),
        KnownKeyType("secp256k1", before=(3,), source="ssl_preset_default_curves of Mbed TLS 3.0"),
        KnownKeyType("brainpool"),
    ),
}
"""Server keys with which the client completes a TLS handshake."""


def key_kind(certificate: Certificate) -> str:
    """Return the kind of the certificate's key: ``RSA``, the name of its curve, ``ML-DSA-65``, or a dotted OID."""
    if certificate.key_algorithm != "EC":
        return certificate.key_algorithm
    curve = certificate.key_curve
    return CURVES.get(curve, curve) if curve else _SPELLED_OUT


def unknown_issuer(engine: str, issuer: Certificate, ask: Ask) -> str:
    """Return the reason why the client cannot verify signatures of the key of ``issuer``, or an empty string."""
    return _unknown(ISSUERS, engine, key_kind(issuer), ask)


def unknown_server(engine: str, server: Certificate, ask: Ask) -> str:
    """Return the reason why the client cannot complete a handshake with the server's key, or an empty string."""
    return _unknown(SERVERS, engine, key_kind(server), ask)


def _unknown(table: Table, engine: str, kind: str, ask: Ask) -> str:
    known = _row(table[engine], kind)
    if known is None and engine in _WITH_VARIANTS:
        known = _row(table[ask().variant or engine], kind)
    if known is None:
        return f"{ASSUMED[engine].library} does not take keys of {kind}"
    if known.since and ask().numbers < known.since:
        return f"{ask().library} takes keys of {kind} from {dotted(known.since)} on; {ask().text}"
    if known.before and ask().numbers >= known.before:
        return f"{ask().library} takes keys of {kind} before {dotted(known.before)} only; {ask().text}"
    return ""


def _row(rows: tuple[KnownKeyType, ...], kind: str) -> KnownKeyType | None:
    family = next((each for each in _FAMILIES if kind.startswith(each)), kind)
    return next((each for each in rows if each.kind == family), None)
