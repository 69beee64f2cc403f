"""Find anchors that a TLS client of the rootfs cannot read, and what it loses: the whole store, or only this anchor.

``check``, ``install`` and ``verify`` use this. ``thin_edge/settings_checks.py`` handles malformed files that
thin-edge.io reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from rootfs_trust.audit.verify.algorithms import unknown_issuer
from rootfs_trust.audit.verify.verdict import named
from rootfs_trust.audit.verify.versions import ASSUMED, Version, Versions
from rootfs_trust.clients.all_clients import clients_of
from rootfs_trust.clients.client import Client
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.mbedtls import unread_by_mbedtls
from rootfs_trust.store.java_keystore import refused_by_java
from rootfs_trust.x509 import Certificate


class Loss(NamedTuple):
    """What ``clients`` lose because of a certificate in the file ``path``: ``everything``, or only that certificate."""

    path: str
    certificate: Certificate
    clients: tuple[str, ...]
    reason: str
    everything: bool


def losses(reading: FileReader) -> Iterator[Loss]:
    """Yield the losses of all clients of the tree, grouped by reason.

    Raises InputError if the settings of a client cannot be read.
    """
    versions = Versions(reading)
    found: dict[tuple[str, str], Loss] = {}
    seen: dict[str, Certificate] = {}  # what a certificate says is read once, not for every client
    for client in clients_of(reading):
        for anchor in client.find(()).anchors:
            certificate = seen.setdefault(anchor.certificate.sha256, anchor.certificate)
            for reason, everything in _faults(client, certificate, versions):
                key = (certificate.sha256, reason)
                loss = found.get(key) or Loss(anchor.path, certificate, (), reason, everything)
                found[key] = loss._replace(clients=tuple(dict.fromkeys((*loss.clients, client.name))))
    yield from found.values()


def lost_keystore(certificates: Iterable[Certificate]) -> str:
    """Return why Java does not load a keystore with these certificates, or an empty string."""
    for certificate in certificates:
        fault = refused_by_java(certificate)
        if fault:
            return f"Java loads nothing of the keystore, since it cannot read {named(certificate)}: {fault}"
    return ""


def blinds_somebody(certificate: Certificate) -> bool:
    """Return whether any client, in the assumed version, would lose something because of the certificate."""
    ask = {engine: partial(ASSUMED.__getitem__, engine) for engine in _ENGINES}
    return any(fault(certificate, ask[engine]) for engine in _ENGINES for fault, _ in _FAULTS[engine])


def _faults(client: Client, certificate: Certificate, versions: Versions) -> Iterator[tuple[str, bool]]:
    ask = partial(versions.of, client)
    for fault, everything in _FAULTS[client.engine]:
        reason = fault(certificate, ask)
        if reason:
            yield reason, everything
            return


Fault = Callable[[Certificate, Callable[[], Version]], str]


def _unparsed_by_mbedtls(certificate: Certificate, ask: Callable[[], Version]) -> str:
    """A positive number of mbedtls_x509_crt_parse_file (Mbed-TLS/mbedtls issue 9324)."""
    fault = unread_by_mbedtls(certificate)
    lost = "programs that take this for a failure, such as fluent-bit and FFmpeg, have no anchors at all"
    return f"{fault}, so that Mbed TLS cannot parse it: {lost}; {ask().text}" if fault else ""


def _refused_by_java(certificate: Certificate, ask: Callable[[], Version]) -> str:
    fault = refused_by_java(certificate)
    return f"{fault}: Java loads nothing of a keystore that contains it; {ask().text}" if fault else ""


def _unsigned(certificate: Certificate, ask: Callable[[], Version]) -> str:
    if not certificate.is_unsigned:
        return ""
    return f"it has no signature (RFC 9925), and GnuTLS takes no such certificate for a CA; {ask().text}"


def _unknown_to(engine: str) -> Fault:
    def fault(certificate: Certificate, ask: Callable[[], Version]) -> str:
        return unknown_issuer(engine, certificate, ask)

    return fault


_ENGINES = ("openssl", "gnutls", "go", "rustls", "java", "mbedtls")
_FAULTS: dict[str, tuple[tuple[Fault, bool], ...]] = {
    "openssl": ((_unknown_to("openssl"), False),),
    "gnutls": ((_unsigned, False), (_unknown_to("gnutls"), False)),
    "go": ((_unknown_to("go"), False),),
    "rustls": ((_unknown_to("rustls"), False),),
    "java": ((_refused_by_java, True), (_unknown_to("java"), False)),
    "mbedtls": ((_unparsed_by_mbedtls, True), (_unknown_to("mbedtls"), False)),
}
"""For each engine: a function that says why it cannot use a certificate, and whether it loses all others, too."""


def of_anchors(found: Iterable[Loss], digests: Iterable[str]) -> Iterator[Loss]:
    """Yield the losses because of certificates with these SHA-256."""
    wanted = set(digests)
    return (loss for loss in found if loss.certificate.sha256 in wanted)
