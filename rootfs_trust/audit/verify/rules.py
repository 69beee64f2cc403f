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
from rootfs_trust.audit.verify.security_level import signature_strength
from rootfs_trust.x509 import Certificate

_SMALLEST_RSA = {"rustls": 2048, "go": 1024, "java": 1024}
_RING = ("sha256", "sha384", "sha512", "ed25519", "rsassapss")


@dataclass(frozen=True, slots=True)
class Rules:
    """``checks`` are asked in this order; see :class:`~rootfs_trust.audit.verify.paths.Search` for the rest.

    ``pinned`` are the checks for a path of the server's certificate alone; None: there is no such path.
    """

    checks: tuple[Check, ...]
    pinned: tuple[Check, ...] | None = None
    folded: bool = False


def _weak_for_go(below: Certificate, _: Certificate) -> str:
    return _weak_digest(below, "Go")


def _weak_for_rustls(below: Certificate, above: Certificate) -> str:
    if not any(word in below.signature_algorithm.lower() for word in _RING):
        return f"is signed with {below.signature_algorithm}, which rustls does not know"
    if above.key_algorithm == "RSA" and (above.key_bits or 0) < 2048:
        return f"is signed with an RSA key of {above.key_bits} bits, and rustls asks for 2048"
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
    if above.key_algorithm == "RSA" and (above.key_bits or 0) < 1024:
        return f"is signed with an RSA key of {above.key_bits} bits, which jdk.certpath.disabledAlgorithms forbids"
    return ""


def _weak_digest(below: Certificate, client: str) -> str:
    if signature_strength(below) < 80:
        return f"is signed with {below.signature_algorithm}, which {client} refuses"
    return ""


RULES = {
    "go": Rules(
        checks=(
            checks.well_made,
            checks.valid,
            checks.no_unknown_critical,
            checks.issuers_are_cas,
            checks.issuers_may_sign,
            checks.path_lengths,
            checks.signatures(_weak_for_go),
            checks.purpose_of_all,
            checks.name_constraints,
            checks.host_in_alternative_name,
        ),
        pinned=(
            checks.well_made,
            checks.valid,
            checks.no_unknown_critical,
            checks.server_purpose,
            checks.host_in_alternative_name,
        ),
    ),
    "rustls": Rules(
        checks=(
            checks.valid_but_anchor,
            checks.server_is_no_ca,
            checks.no_unknown_critical_below,
            checks.intermediates_are_cas,
            checks.path_lengths_below,
            checks.signatures(_weak_for_rustls),
            checks.purpose_but_anchor,
            checks.name_constraints,
            checks.host_in_alternative_name,
        ),
    ),
    "gnutls": Rules(
        checks=(
            checks.valid,
            checks.no_unknown_critical,
            checks.issuers_are_cas,
            checks.issuers_may_sign,
            checks.path_lengths,
            checks.signatures(_weak_for_gnutls),
            checks.purpose_of_all,
            checks.name_constraints,
            checks.host_named,
        ),
        pinned=(checks.valid, checks.server_purpose, checks.host_named),
    ),
    "java": Rules(
        checks=(
            checks.well_made,
            checks.valid_but_anchor,
            checks.no_unknown_critical_below,
            checks.issuers_are_cas,
            checks.issuers_may_sign,
            checks.path_lengths_below,
            checks.signatures(_weak_for_java),
            checks.server_purpose,
            checks.name_constraints_below,
            checks.host_named,
        ),
        pinned=(checks.host_named,),
        folded=True,
    ),
}
