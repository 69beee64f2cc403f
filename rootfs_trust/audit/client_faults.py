"""Reasons why a client cannot use a certificate as an anchor, from the certificate alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from rootfs_trust.audit.verify.algorithms import unknown_issuer
from rootfs_trust.audit.verify.assumed_versions import ASSUMED, Version
from rootfs_trust.clients.mbedtls_parser import unread_by_mbedtls
from rootfs_trust.store.java_rules import refused_by_java
from rootfs_trust.x509 import Certificate


def faults(engine: str, certificate: Certificate, ask: Callable[[], Version]) -> Iterator[tuple[str, bool]]:
    """Yield reasons why a client with this engine cannot use a certificate, each with whether the client then loses all
    other anchors.

    ``ask`` looks up the version of its library; it is called only if the version matters.
    """
    for fault, everything in _FAULTS[engine]:
        reason = fault(certificate, ask)
        if reason:
            yield reason, everything
            return


def blinds_somebody(certificate: Certificate) -> bool:
    """Return whether any client, in its assumed version, cannot use the certificate, or loses others because of it."""
    return any(
        fault(certificate, partial(ASSUMED.__getitem__, engine))
        for engine, faults_of_engine in _FAULTS.items()
        for fault, _ in faults_of_engine
    )


Fault = Callable[[Certificate, Callable[[], Version]], str]


def _unparsed_by_mbedtls(certificate: Certificate, ask: Callable[[], Version]) -> str:
    """Describe a certificate that mbedtls_x509_crt_parse_file cannot parse. It counts these in its result
    (Mbed-TLS/mbedtls issue 9324).
    """
    fault = unread_by_mbedtls(certificate)
    lost = "programs that treat this as a failure, such as fluent-bit and FFmpeg, have no anchors at all"
    return f"{fault}, so that Mbed TLS cannot parse it: {lost}; {ask().text}" if fault else ""


def _refused_by_java(certificate: Certificate, ask: Callable[[], Version]) -> str:
    fault = refused_by_java(certificate)
    return f"{fault}: Java rejects the whole keystore that contains it; {ask().text}" if fault else ""


def _unsigned(certificate: Certificate, ask: Callable[[], Version]) -> str:
    if not certificate.is_unsigned:
        return ""
    return f"it has no signature (RFC 9925), and GnuTLS does not accept such a certificate as a CA; {ask().text}"


def _unknown_to(engine: str) -> Fault:
    def fault(certificate: Certificate, ask: Callable[[], Version]) -> str:
        return unknown_issuer(engine, certificate, ask)

    return fault


_FAULTS: dict[str, tuple[tuple[Fault, bool], ...]] = {
    "openssl": ((_unknown_to("openssl"), False),),
    "gnutls": ((_unsigned, False), (_unknown_to("gnutls"), False)),
    "go": ((_unknown_to("go"), False),),
    "rustls": ((_unknown_to("rustls"), False),),
    "java": ((_refused_by_java, True), (_unknown_to("java"), False)),
    "mbedtls": ((_unparsed_by_mbedtls, True), (_unknown_to("mbedtls"), False)),
}
"""For each engine: a function that describes why it cannot use a certificate, and whether it then loses all others,
too.
"""
