"""Every client of a tree."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.clients import certifi, gnutls, go, java, node, openssl, rustls, thin_edge
from rootfs_trust.audit.clients.client import Client
from rootfs_trust.audit.clients.reading import Reading

ALWAYS = ("openssl-directory", "openssl-bundle", "gnutls", "go", "rustls-native")
NAMES = (
    *ALWAYS,
    "java",
    "node",
    "certifi",
    "thin-edge-mosquitto-bridge",
    "thin-edge-built-in-bridge",
    "thin-edge-https",
)
"""What the clients are called, in the order of the verdicts."""


def clients_of(reading: Reading) -> Iterator[Client]:
    """The clients of a tree; several of one name where settings differ from cloud to cloud."""
    for module in (openssl, gnutls, go, rustls, java, node, certifi, thin_edge):
        yield from module.clients(reading)
