"""GnuTLS's clients (wget, git and apt of Debian, glib): one bundle file, fixed when GnuTLS was built."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.clients.client import Client, Found, fixed
from rootfs_trust.audit.clients.reading import Reading

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/cert.pem",
)
"""Debian's and OpenEmbedded's; Fedora's GnuTLS asks p11-kit, which holds what its bundle is extracted from."""


def clients(reading: Reading) -> Iterator[Client]:
    """``gnutls``."""
    path = reading.first_file(*BUNDLES) or BUNDLES[0]
    yield Client("gnutls", "gnutls", fixed(by_file(reading, path)))


def by_file(reading: Reading, path: str) -> Found:
    """gnutls_certificate_set_x509_system_trust, with the file at ``path`` built in."""
    file = reading.gnutls(path)
    if file is None:
        return Found((), path, (f"there is no {path}",))
    return Found(file.anchors, path, (f"nothing of {path} is loaded: {file.fault}",) if file.fault else ())
