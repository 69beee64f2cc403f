"""All clients of a rootfs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from rootfs_trust.clients.client import Client, ClientType, FoundAnchors, fixed
from rootfs_trust.clients.environment_variables import Scope, scopes
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.table import VARIABLES
from rootfs_trust.errors import CLIENT, InputError, Problem

MODULES = (openssl, gnutls, go, rustls, java, node, certifi, castore, mono, browsers, mbedtls, thin_edge)
"""The modules of all clients, in the order of the verdicts."""

TYPES: dict[str, ClientType] = {each.name: each for module in MODULES for each in module.TYPES}
"""Every client by name, in the order of the verdicts.

``java``, ``certifi`` and ``castore`` may be followed by the path of a store, as in ``java:PATH``. The first store of
Java and of certifi has no path in its name; those of castore always have one.
"""

NAMES = tuple(TYPES)


def starting(reading: FileReader) -> Iterator[Client]:
    """Yield the clients of a rootfs that can start. Malformed settings prevent a start; ``check`` reports them."""
    for module in MODULES:
        with suppress(InputError):
            yield from tuple(module.clients(reading))


def moved_clients(reading: FileReader) -> Iterator[tuple[Scope, Client]]:
    """Yield each client that reads other files because a unit or profile file sets variables, and the path of that
    file.
    """
    for scope in scopes(reading):
        moved = reading.with_environment({**reading.environment, **scope.variables})
        obeying = {name for each in VARIABLES if each.name in scope.variables for name in each.clients}
        yield from ((scope, client) for client in starting(moved) if client.name in obeying)


def clients_by_scope(reading: FileReader) -> Iterator[Client]:
    """Yield the clients of a rootfs, and again those that read other anchors because a file sets variables."""
    everywhere = list(clients_of(reading))
    yield from everywhere
    known = {(client.name, _anchors(client)) for client in everywhere} if scopes(reading) else set()
    for scope, client in moved_clients(reading):
        if (client.name, _anchors(client)) not in known:
            note = f"with {' and '.join(scope.variables)} of {scope.place}"
            yield replace(client, note="; ".join(filter(None, (note, client.note))), because=scope.place)


def _anchors(client: Client) -> frozenset[str]:
    found = client.find(None)
    return frozenset() if found.cannot_start else frozenset(each.certificate.sha256 for each in found.anchors)


def clients_of(reading: FileReader) -> Iterator[Client]:
    """Yield the clients of a rootfs. A name may occur several times, if settings differ between clouds."""
    for module in MODULES:
        yield from module.clients(reading)


def named_client(name: str) -> Client:
    """Return a client by name, without a rootfs. It finds no anchors."""
    kind, _, path = name.partition(":")
    return TYPES[kind].client(fixed(FoundAnchors()), path=path)


def unknown_client(name: str, here: Iterable[str]) -> Problem:
    """Return the error for a client that a rootfs with the clients ``here`` does not have."""
    what = f"the rootfs has no client {name}" if name in TYPES else f"no client is called {name}"
    return CLIENT("", what, f"clients here: {', '.join(here)}")
