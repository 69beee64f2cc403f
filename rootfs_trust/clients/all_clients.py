"""Every client of a tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from rootfs_trust.clients import (
    browsers,
    castore,
    certifi,
    gnutls,
    go,
    java,
    mbedtls,
    mono,
    node,
    openssl,
    rustls,
    thin_edge,
)
from rootfs_trust.clients.client import Client, FoundAnchors, fixed
from rootfs_trust.clients.environment_variables import Scope, scopes
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.table import VARIABLES
from rootfs_trust.errors import InputError

ALWAYS = ("openssl-directory", "openssl-bundle", "gnutls", "go", "rustls-native")
NAMES = (
    *ALWAYS,
    "java",
    "node",
    "certifi",
    "castore",
    "mono",
    "chromium",
    "firefox",
    "mbedtls",
    "thin-edge-mosquitto-bridge",
    "thin-edge-built-in-bridge",
    "thin-edge-https",
)
"""What the clients are called, in the order of the verdicts. Those in :data:`BY_PATH` have a path behind the name."""

BY_PATH = ("java", "certifi", "castore")
"""Clients whose name may have the path of a store behind it, as in ``java:PATH``.

The first store of Java and of certifi has no path in the name; those of castore always have.
"""


_ENGINES = {"gnutls": "gnutls", "go": "go", "java": "java", "mbedtls": "mbedtls", "chromium": "go"}
_BY_RUSTLS = ("rustls-native", "firefox", "thin-edge-built-in-bridge", "thin-edge-https")
"""The engines of clients; the others judge by OpenSSL."""


MODULES = (openssl, gnutls, go, rustls, java, node, certifi, castore, mono, browsers, mbedtls, thin_edge)
"""In the order of the verdicts."""


def starting(reading: FileReader) -> Iterator[Client]:
    """The clients of a tree. One whose settings are malformed does not start; ``check`` reports it."""
    for module in MODULES:
        with suppress(InputError):
            yield from tuple(module.clients(reading))


def moved_clients(reading: FileReader) -> Iterator[tuple[Scope, Client]]:
    """The clients whose reading the variables of a file move (a unit, a profile), each with the file."""
    for scope in scopes(reading):
        moved = reading.with_environment({**reading.environment, **scope.variables})
        obeying = {name for each in VARIABLES if each.name in scope.variables for name in each.clients}
        yield from ((scope, client) for client in starting(moved) if client.name in obeying)


def clients_by_scope(reading: FileReader) -> Iterator[Client]:
    """The clients of a tree, and once more those that variables of a file lead to other anchors."""
    everywhere = list(clients_of(reading))
    yield from everywhere
    known = {(client.name, _anchors(client)) for client in everywhere} if scopes(reading) else set()
    for scope, client in moved_clients(reading):
        if (client.name, _anchors(client)) not in known:
            note = f"with {' and '.join(scope.variables)} of {scope.place}"
            yield replace(client, note="; ".join(filter(None, (note, client.note))), because=scope.place)


def _anchors(client: Client) -> frozenset[str]:
    found = client.find(None)
    return frozenset() if found.dead else frozenset(each.certificate.sha256 for each in found.anchors)


def clients_of(reading: FileReader) -> Iterator[Client]:
    """The clients of a tree; several of one name where settings differ from cloud to cloud."""
    for module in MODULES:
        yield from module.clients(reading)


def named_client(name: str) -> Client:
    """A client by its name, where no tree says more of it; it finds nothing."""
    kind = name.partition(":")[0]
    engine = "rustls" if kind in _BY_RUSTLS else _ENGINES.get(kind, "openssl")
    return Client(name, engine, fixed(FoundAnchors()))
