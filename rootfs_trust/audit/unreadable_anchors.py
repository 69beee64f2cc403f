"""Find anchors that a TLS client of the rootfs cannot read, and what it loses: the whole store, or only this anchor.

``check``, ``install`` and ``verify`` use this. ``thin_edge/settings_checks.py`` handles malformed files that
thin-edge.io reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from rootfs_trust.audit.client_faults import faults
from rootfs_trust.audit.verify.verdict import named
from rootfs_trust.audit.verify.versions import Versions
from rootfs_trust.clients.all_clients import clients_of
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.store.java_rules import refused_by_java
from rootfs_trust.x509 import Certificate


class Loss(NamedTuple):
    """The loss of ``clients`` that cannot read a certificate in the file ``path``: all their anchors (``everything``),
    or only this one.
    """

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
    seen: dict[str, Certificate] = {}  # parse each certificate once, not for every client
    for client in clients_of(reading):
        for anchor in client.find(()).anchors:
            certificate = seen.setdefault(anchor.certificate.sha256, anchor.certificate)
            for reason, everything in faults(client.engine, certificate, partial(versions.of, client)):
                key = (certificate.sha256, reason)
                loss = found.get(key) or Loss(anchor.path, certificate, (), reason, everything)
                found[key] = loss._replace(clients=tuple(dict.fromkeys((*loss.clients, client.name))))
    yield from found.values()


def lost_keystore(certificates: Iterable[Certificate]) -> str:
    """Return the reason why Java would not load a keystore with these certificates, or an empty string."""
    for certificate in certificates:
        fault = refused_by_java(certificate)
        if fault:
            return f"Java rejects the whole keystore, because it cannot read {named(certificate)}: {fault}"
    return ""


def of_anchors(found: Iterable[Loss], digests: Iterable[str]) -> Iterator[Loss]:
    """Yield the losses that certificates with these SHA-256 digests cause."""
    wanted = set(digests)
    return (loss for loss in found if loss.certificate.sha256 in wanted)
