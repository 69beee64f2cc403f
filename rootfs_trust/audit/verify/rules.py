"""The rules of clients that do not use OpenSSL, from their source code and tests with the real programs (tests/e2e).

go       crypto/x509 of Go 1.19 to 1.26, verify.go
rustls   webpki 0.101 and 0.103 with the algorithms of ring
gnutls   3.7 and 3.8, lib/x509/verify.c
mbedtls  2.28 and 3.6, library/x509_crt.c
java     OpenJDK 17 to 25, PKIXValidator, and jdk.certpath.disabledAlgorithms as it is shipped
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rootfs_trust.audit.verify import path_checks
from rootfs_trust.audit.verify.constraints import NameConstraintRules
from rootfs_trust.audit.verify.path_checks import Check
from rootfs_trust.audit.verify.security_level import signature_strength
from rootfs_trust.store.java_rules import refused_by_java
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.name import ADDRESS, DNS, MAIL, URI
from rootfs_trust.x509.oids import (
    AUTHORITY_INFORMATION_ACCESS,
    AUTHORITY_KEY_ID,
    CRL_DISTRIBUTION_POINTS,
    ISSUER_ALTERNATIVE_NAME,
    POLICY_CONSTRAINTS,
    POLICY_MAPPINGS,
    SUBJECT_ALTERNATIVE_NAME,
    SUBJECT_KEY_ID,
)

_STRONG_FOR_RUSTLS = ("sha256", "sha384", "sha512", "ed25519", "rsassapss", "ml-dsa")
_P224, _P256, _P384, _P521 = "1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"
_KNOWN_TO_GNUTLS = (
    SUBJECT_KEY_ID,
    ISSUER_ALTERNATIVE_NAME,
    AUTHORITY_KEY_ID,
    AUTHORITY_INFORMATION_ACCESS,
    CRL_DISTRIBUTION_POINTS,
    "1.3.6.1.5.5.7.1.14",  # proxyCertInfo
    "1.3.6.1.5.5.7.1.24",  # TLS feature
)
_UNKNOWN_TO_GNUTLS = (POLICY_MAPPINGS, POLICY_CONSTRAINTS)
_KINDS = frozenset(range(0x80, 0x89))

_BY_GO = NameConstraintRules(strict=True, unknown=_KINDS - {DNS, ADDRESS, MAIL, URI})
_BY_RUSTLS = NameConstraintRules(strict=True, subjects=False, dotted=True, most=250_000)
_LARGEST_FOR_RUSTLS = 0xFFFF  # in bytes; webpki accepts no longer lengths


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a client. ``checks`` run in this order.

    ``pinned`` are the checks for a path that contains only the server's certificate. None: there is no such path. The
    other fields are those of :class:`~rootfs_trust.audit.verify.paths.PathSearch`.
    """

    checks: tuple[Check, ...]
    pinned: tuple[Check, ...] | None = None

    def with_checks(self, more: Sequence[Check]) -> Rules:
        """Return these rules with more checks before them."""
        return Rules((*more, *self.checks), None if self.pinned is None else (*more, *self.pinned))


def _weak_for_go(below: Certificate, _: Certificate) -> str:
    return _weak_digest(below, "Go")


def _weak_for_rustls(below: Certificate, above: Certificate) -> str:
    if not any(word in below.signature_algorithm.lower() for word in _STRONG_FOR_RUSTLS):
        return f"is signed with {below.signature_algorithm}, which rustls does not support"
    if above.key_algorithm == "RSA" and (above.key_bits or 0) < 2048:
        return f"is signed with an RSA key of {above.key_bits} bits, and rustls requires 2048"
    return ""


def _small_for_rustls(certificate: Certificate) -> str:
    small = certificate.key_algorithm == "RSA" and (certificate.key_bits or 0) < 2048
    return f"an RSA key of {certificate.key_bits} bits, and rustls requires 2048" if small else ""


def _weak_for_gnutls(below: Certificate, _: Certificate) -> str:
    """Describe a weak signature. The signature of a self-issued certificate is ignored."""
    return "" if below.subject.raw == below.issuer.raw else _weak_digest(below, "GnuTLS")


def _small_for_gnutls(certificate: Certificate) -> str:
    """Describe a key below the profile LOW of the priority NORMAL (lib/priority.c, lib/algorithms/secparams.c)."""
    if certificate.key_algorithm.startswith(("RSA", "DSA")) and (certificate.key_bits or 0) < 1024:
        return f"a key of {certificate.key_bits} bits, which GnuTLS calls insecure"
    return ""


def unsigned_for_gnutls(certificate: Certificate) -> str:
    """Describe an issuer without a signature (RFC 9925), which is not a CA for GnuTLS (check_if_ca)."""
    return "it has no signature, and GnuTLS does not accept such an issuer" if certificate.is_unsigned else ""


def _weak_for_java(below: Certificate, above: Certificate) -> str:
    if "md5" in below.signature_algorithm.lower() or "md2" in below.signature_algorithm.lower():
        return f"is signed with {below.signature_algorithm}, which jdk.certpath.disabledAlgorithms forbids"
    for certificate in (below, above):
        if certificate.key_algorithm == "RSA" and (certificate.key_bits or 0) < 1024:
            return f"or its issuer has a key of {certificate.key_bits} bits; jdk.certpath.disabledAlgorithms forbids it"
    return ""


def unread_by_go(certificate: Certificate) -> str:
    """Describe a curve that Go does not support. Such a key anywhere in the chain ends the handshake."""
    named = certificate.key_algorithm != "EC" or certificate.key_curve in (_P224, _P256, _P384, _P521)
    return "" if named else "Go does not support the curve of its key"


def _unread_by_rustls(certificate: Certificate) -> str:
    return "it is too large for rustls" if len(certificate.der) > _LARGEST_FOR_RUSTLS else ""


def unread_by_java(certificate: Certificate) -> str:
    """Return the reason why Java cannot parse a certificate. An empty subject is allowed with a critical
    subjectAltName.
    """
    unnamed = not certificate.subject.canonical and SUBJECT_ALTERNATIVE_NAME in certificate.critical
    return "" if unnamed else refused_by_java(certificate)


def unread_by_gnutls(certificate: Certificate) -> str:
    """Return the reason why GnuTLS cannot parse a certificate (gnutls_x509_crt_import), or an empty string."""
    if certificate.repeats_extension:
        return "it contains an extension twice"
    if certificate.alternative_names_are_broken:
        return "no name can be read in its subjectAltName"
    spelled_out = certificate.key_algorithm == "EC" and not certificate.key_has_named_curve
    return "GnuTLS supports only named curves" if spelled_out else ""


def _weak_digest(below: Certificate, client: str) -> str:
    if signature_strength(below) < 80:
        return f"is signed with {below.signature_algorithm}, which {client} refuses"
    return ""


def _weak_for_mbedtls(below: Certificate, _: Certificate) -> str:
    """Describe a signature without SHA-2, which mbedtls_x509_crt_profile_default does not allow."""
    strong = any(word in below.signature_algorithm.lower() for word in ("sha224", "sha256", "sha384", "sha512", "pss"))
    return "" if strong else f"is signed with {below.signature_algorithm}, which Mbed TLS refuses"


def _small_for_mbedtls(certificate: Certificate) -> str:
    """Describe an RSA key below 2048 bits, which mbedtls_x509_crt_profile_default does not allow."""
    small = certificate.key_algorithm == "RSA" and (certificate.key_bits or 0) < 2048
    return f"an RSA key of {certificate.key_bits} bits, and Mbed TLS requires 2048" if small else ""


RULES = {
    "go": Rules(
        checks=(
            path_checks.well_made,
            path_checks.valid,
            path_checks.no_unknown_critical(CRL_DISTRIBUTION_POINTS),
            path_checks.issuers_are_cas,
            path_checks.issuers_with_usage_may_sign,
            path_checks.path_lengths,
            path_checks.signatures(_weak_for_go),
            path_checks.server_auth_on_all_ignoring_empty,
            path_checks.name_constraints(_BY_GO),
            path_checks.host_in_alternative_name_of_go,
        ),
        pinned=(
            path_checks.well_made,
            path_checks.valid,
            path_checks.no_unknown_critical(CRL_DISTRIBUTION_POINTS),
            path_checks.server_auth_on_all_ignoring_empty,
            path_checks.host_in_alternative_name_of_go,
        ),
    ),
    "rustls": Rules(
        checks=(
            path_checks.readable(_unread_by_rustls),
            path_checks.in_date_below_anchor,
            path_checks.server_is_no_ca,
            path_checks.no_unknown_critical_below,
            path_checks.intermediates_are_cas,
            path_checks.path_lengths_below,
            path_checks.signatures(_weak_for_rustls),
            path_checks.server_key(_small_for_rustls),
            path_checks.named_server_purpose_but_anchor,
            path_checks.name_constraints(_BY_RUSTLS),
            path_checks.host_in_alternative_name,
        ),
    ),
    "gnutls": Rules(
        checks=(
            path_checks.readable(unread_by_gnutls),
            path_checks.valid,
            path_checks.no_unknown_critical(*_KNOWN_TO_GNUTLS, without=_UNKNOWN_TO_GNUTLS),
            path_checks.intermediates_are_cas,
            path_checks.anchor_is_or_may_be_a_ca,
            path_checks.readable(unsigned_for_gnutls),
            path_checks.issuers_of_version_3_may_sign,
            path_checks.path_lengths,
            path_checks.signed_in_turn,
            path_checks.signatures(_weak_for_gnutls),
            path_checks.keys(_small_for_gnutls),
            path_checks.purpose_of_gnutls,
            path_checks.name_constraints_of_gnutls,
            path_checks.host_named_for_gnutls,
        ),
        pinned=(
            path_checks.valid,
            path_checks.keys(_small_for_gnutls),
            path_checks.purpose_of_gnutls,
            path_checks.host_named_for_gnutls,
        ),
    ),
    "java": Rules(
        checks=(
            path_checks.in_date_below_anchor,
            path_checks.no_unknown_critical_below,
            path_checks.issuers_are_cas,
            path_checks.issuers_may_sign,
            path_checks.path_lengths_of_others,
            path_checks.signed_in_turn,
            path_checks.signatures(_weak_for_java),
            path_checks.server_may_sign,
            path_checks.server_purpose,
            path_checks.name_constraints_of_java,
            path_checks.host_in_san_or_common_name,
        ),
        pinned=(path_checks.host_in_san_or_common_name,),
    ),
    "mbedtls": Rules(
        checks=(
            path_checks.valid,
            path_checks.signed_in_turn,
            path_checks.signatures(_weak_for_mbedtls),
            path_checks.keys(_small_for_mbedtls),
            path_checks.server_may_sign,
            path_checks.server_purpose,
            path_checks.host_named_for_mbedtls,
        ),
        pinned=(
            path_checks.valid,
            path_checks.keys(_small_for_mbedtls),
            path_checks.server_may_sign,
            path_checks.server_purpose,
            path_checks.host_named_for_mbedtls,
        ),
    ),
}
