"""Find clients that ignore the name constraints of a constrained anchor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rootfs_trust.clients.all_clients import clients_of
from rootfs_trust.clients.file_readers import file_reader
from rootfs_trust.rootfs.device import Device
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.constrained import original_of


class Gap(NamedTuple):
    """``client`` reads the constrained ``anchor`` from ``path`` and ignores its names. ``message`` has the details."""

    anchor: Anchor
    client: str
    path: str
    message: str


def gaps(device: Device, anchors: Iterable[Anchor]) -> Iterator[Gap]:
    """Yield each client of ``device`` that ignores the constraints of one of ``anchors``, or cannot read the anchor.

    Java ignores the name constraints of a trust anchor (sun.security.provider.certpath.PKIXMasterCertPathValidator: an
    anchor created from a certificate has none). Mbed TLS cannot parse an unknown critical extension.
    """
    fenced = {each.certificate.sha256: each for each in anchors if original_of(each.certificate) is not None}
    told: set[tuple[str, str]] = set()
    for client in clients_of(file_reader(device)) if fenced else ():
        for found in client.find(()).anchors:
            anchor, message = fenced.get(found.certificate.sha256), _IGNORED.get(client.engine, "")
            if anchor is None:
                anchor, message = _bypassed(found.certificate, fenced.values()), _BYPASSED
            if anchor is not None and message and (found.path, message) not in told:
                told.add((found.path, message))
                yield Gap(anchor, client.name, found.path, message)


def bypasses(certificate: Certificate, constrained: Certificate) -> bool:
    """Return whether ``certificate`` is from the same CA as ``constrained``, with other name constraints or none."""
    if certificate.subject != constrained.subject or certificate.public_key != constrained.public_key:
        return False
    return certificate.name_constraints != constrained.name_constraints


def _bypassed(certificate: Certificate, fenced: Iterable[Anchor]) -> Anchor | None:
    return next((each for each in fenced if bypasses(certificate, each.certificate)), None)


_IGNORED = {
    "java": "Java ignores the name constraints of a trust anchor, and would trust this CA for every name",
    "mbedtls": "Mbed TLS cannot parse a critical name constraint: its programs skip this CA or lose the whole store",
}
"""What an engine does with a constrained anchor. Engines that are not listed enforce the names."""

_BYPASSED = "contains a certificate of the same CA without these name constraints, which clients would use"
