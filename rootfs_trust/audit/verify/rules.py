"""The rules of the clients that are not OpenSSL's, each found with the real program (tests/e2e) and in its source.

go       crypto/x509 of Go 1.19 to 1.26, verify.go
rustls   webpki 0.101 and 0.103 with the algorithms of ring
gnutls   3.7 and 3.8, lib/x509/verify.c
java     OpenJDK 17 and 21, PKIXValidator, and jdk.certpath.disabledAlgorithms as it is shipped
"""

from __future__ import annotations

from dataclasses import dataclass

from rootfs_trust.audit.verify import checks
from rootfs_trust.audit.verify.checks import Check
from rootfs_trust.audit.verify.constraints import Understanding
from rootfs_trust.audit.verify.security_level import signature_strength
from rootfs_trust.store.java import refused_by_java
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.general_names import ADDRESS, DNS

_RING = ("sha256", "sha384", "sha512", "ed25519", "rsassapss")
_CRL_PLACES, _AUTHORITY_ACCESS = "2.5.29.31", "1.3.6.1.5.5.7.1.1"
_AUTHORITY_KEY, _ALTERNATIVE_NAME = "2.5.29.35", "2.5.29.17"
_OTHER_NAME, _MAIL, _URI = 0x80, 0x81, 0x86  # tags of GeneralName
_KINDS = frozenset(range(0x80, 0x89))

_BY_GO = Understanding(strict=True, unknown=_KINDS - {DNS, ADDRESS, _MAIL, _URI})
_BY_RUSTLS = Understanding(strict=True, subjects=False, most=250_000)
_BY_GNUTLS = Understanding(unknown=frozenset((_OTHER_NAME,)), most=1 << 20)
_LARGEST_FOR_RUSTLS = 0xFFFF  # octets; webpki reads no longer lengths


@dataclass(frozen=True, slots=True)
class Rules:
    """``checks`` are asked in this order; see :class:`~rootfs_trust.audit.verify.paths.Search` for the rest.

    ``pinned`` are the checks for a path of the server's certificate alone; None: there is no such path.
    """

    checks: tuple[Check, ...]
    pinned: tuple[Check, ...] | None = None
    folded: bool = False


def _weak_for_go(below: Certificate, above: Certificate) -> str:
    if above.key_algorithm not in ("RSA", "EC", "Ed25519"):
        return f"is signed with a key of {above.key_algorithm}, which Go does not know"
    return _weak_digest(below, "Go")


def _weak_for_rustls(below: Certificate, above: Certificate) -> str:
    if not any(word in below.signature_algorithm.lower() for word in _RING):
        return f"is signed with {below.signature_algorithm}, which rustls does not know"
    if above.key_algorithm == "RSA" and (above.key_bits or 0) < 2048:
        return f"is signed with an RSA key of {above.key_bits} bits, and rustls asks for 2048"
    if above.key_algorithm not in ("RSA", "EC", "Ed25519"):
        return f"is signed with a key of {above.key_algorithm}, which rustls does not know"
    if above.key_algorithm == "EC" and not above.key_has_named_curve:
        return "is signed with a key whose curve is spelled out, which rustls does not know"
    if above.key_algorithm == "EC" and above.key_bits not in (256, 384):
        return f"is signed with a key on a curve of {above.key_bits} bits, which rustls does not know"
    return ""


def _weak_for_gnutls(below: Certificate, above: Certificate) -> str:
    if above.key_algorithm == "RSA" and (above.key_bits or 0) < 1024:
        return f"is signed with an RSA key of {above.key_bits} bits, which GnuTLS calls insecure"
    return _weak_digest(below, "GnuTLS")


def _weak_for_java(below: Certificate, above: Certificate) -> str:
    if "md5" in below.signature_algorithm.lower() or "md2" in below.signature_algorithm.lower():
        return f"is signed with {below.signature_algorithm}, which jdk.certpath.disabledAlgorithms forbids"
    for certificate in (below, above):
        smallest = {"RSA": 1024, "EC": 224}.get(certificate.key_algorithm, 0)
        if (certificate.key_bits or 0) < smallest:
            return f"or its issuer has a key of {certificate.key_bits} bits; jdk.certpath.disabledAlgorithms forbids it"
    return ""


def _unread_by_go(certificate: Certificate) -> str:
    named = certificate.key_has_named_curve and certificate.key_bits in (224, 256, 384, 521)
    return "" if certificate.key_algorithm != "EC" or named else "Go does not know the curve of its key"


def _unread_by_rustls(certificate: Certificate) -> str:
    return "it is too large for rustls" if len(certificate.der) > _LARGEST_FOR_RUSTLS else ""


def _unread_by_java(certificate: Certificate) -> str:
    """An empty subject will do where a critical alternative name stands for it."""
    unnamed = not certificate.subject.canonical and _ALTERNATIVE_NAME in certificate.critical
    return "" if unnamed else refused_by_java(certificate)


def _unread_by_gnutls(certificate: Certificate) -> str:
    if certificate.repeats_extension:
        return "an extension stands in it twice"
    if certificate.alternative_names_are_broken:
        return "no name can be read in its subjectAltName"
    spelled_out = certificate.key_algorithm == "EC" and not certificate.key_has_named_curve
    return "GnuTLS knows curves by their names alone" if spelled_out else ""


def _weak_digest(below: Certificate, client: str) -> str:
    if signature_strength(below) < 80:
        return f"is signed with {below.signature_algorithm}, which {client} refuses"
    return ""


RULES = {
    "go": Rules(
        checks=(
            checks.well_made,
            checks.readable(_unread_by_go),
            checks.valid,
            checks.no_unknown_critical(_CRL_PLACES),
            checks.issuers_are_cas,
            checks.issuers_with_usage_may_sign,
            checks.path_lengths,
            checks.signatures(_weak_for_go),
            checks.named_purpose_of_all,
            checks.name_constraints(_BY_GO),
            checks.host_in_alternative_name_of_go,
        ),
        pinned=(
            checks.well_made,
            checks.valid,
            checks.no_unknown_critical(_CRL_PLACES),
            checks.named_purpose_of_all,
            checks.host_in_alternative_name_of_go,
        ),
    ),
    "rustls": Rules(
        checks=(
            checks.readable(_unread_by_rustls),
            checks.valid_but_anchor,
            checks.server_is_no_ca,
            checks.no_unknown_critical_below,
            checks.intermediates_are_cas,
            checks.path_lengths_below,
            checks.signatures(_weak_for_rustls),
            checks.purpose_but_anchor,
            checks.name_constraints(_BY_RUSTLS),
            checks.host_in_alternative_name,
        ),
    ),
    "gnutls": Rules(
        checks=(
            checks.readable(_unread_by_gnutls),
            checks.valid,
            checks.no_unknown_critical(_AUTHORITY_KEY, _AUTHORITY_ACCESS, _CRL_PLACES),
            checks.intermediates_are_cas,
            checks.anchor_is_not_said_to_be_no_ca,
            checks.issuers_may_sign,
            checks.path_lengths,
            checks.signatures(_weak_for_gnutls),
            checks.named_purpose_of_all,
            checks.name_constraints_on_server(_BY_GNUTLS),
            checks.host_named,
        ),
        pinned=(checks.valid, checks.named_purpose_of_all, checks.host_named),
    ),
    "java": Rules(
        checks=(
            checks.readable(_unread_by_java),
            checks.valid_but_anchor,
            checks.no_unknown_critical_below,
            checks.issuers_are_cas,
            checks.issuers_may_sign,
            checks.path_lengths_of_others,
            checks.signatures(_weak_for_java),
            checks.server_may_sign,
            checks.server_purpose,
            checks.name_constraints(Understanding(), anchor=False),
            checks.host_named,
        ),
        pinned=(checks.host_named,),
        folded=True,
    ),
}
