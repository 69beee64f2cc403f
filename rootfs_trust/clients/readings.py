"""What each client of a tree reads: the certificates that it trusts for TLS servers, and the file that holds each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rootfs_trust.clients import openssl
from rootfs_trust.clients.all_clients import moved_clients, starting
from rootfs_trust.clients.client import Client, ClientAnchor
from rootfs_trust.clients.environment_variables import scopes
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.table import HASH_DIRECTORIES, VARIABLES
from rootfs_trust.rootfs.view import File
from rootfs_trust.store.bundle_store import BUNDLES
from rootfs_trust.x509 import Certificate


class ClientReading(NamedTuple):
    """One client: ``anchors`` are what it trusts, in its order.

    ``because``: the file or configuration whose variables make it read this; empty for what is compiled in.
    """

    client: str
    anchors: tuple[ClientAnchor, ...]
    because: str = ""


class TrustingClient(NamedTuple):
    """A client that trusts a certificate, and the path by which it reads it."""

    client: str
    path: str
    because: str = ""


class TrustedBy(NamedTuple):
    """A certificate, and every client that trusts it."""

    certificate: Certificate
    readers: tuple[TrustingClient, ...]


def readings(reading: FileReader) -> tuple[ClientReading, ...]:
    """What every client of the tree reads, the named clients first, then those that programs may be pointed to."""
    found = [_read(reading, client) for client in starting(reading)]
    found += (_read(reading, client) for client in _elsewhere(reading))
    found += (_read(reading, client)._replace(because=scope.place) for scope, client in moved_clients(reading))
    for scope in scopes(reading):
        pointed = _pointed(reading.with_environment({**reading.environment, **scope.variables}))
        found += (_read(reading, client)._replace(because=scope.place) for client in pointed)
    found += (_read(reading, client) for client in _pointed(reading))
    return tuple(found)


def trusted_by(found: Iterable[ClientReading]) -> dict[str, TrustedBy]:
    """The certificates that any client trusts, by SHA-256, in the order of the clients and of their files."""
    readers: dict[str, dict[TrustingClient, None]] = {}
    certificates: dict[str, Certificate] = {}
    for each in found:
        for anchor in each.anchors:
            sha256 = anchor.certificate.sha256
            certificates.setdefault(sha256, anchor.certificate)
            readers.setdefault(sha256, {})[TrustingClient(each.client, anchor.path, each.because)] = None
    return {sha256: TrustedBy(certificates[sha256], tuple(readers[sha256])) for sha256 in certificates}


def _read(reading: FileReader, client: Client) -> ClientReading:
    """What a client trusts; paths are those of the files or links themselves, free of links of directories."""
    found = client.find(None)
    anchors = () if found.dead else found.anchors
    return ClientReading(
        client.name, tuple(each._replace(path=reading.place(each.path)) for each in anchors if each.serves)
    )


def _elsewhere(reading: FileReader) -> Iterator[Client]:
    """The stores of the tree to which programs may be pointed, beyond the first of each kind, named by their paths."""
    for path in _apart(reading, BUNDLES, openssl.default_bundle(reading)):
        if reading.view.kind(path) is File:
            yield _bundle(reading, path)
    default = openssl.default_directory(reading)
    for path in _apart(reading, HASH_DIRECTORIES, default):
        if reading.is_folder(path):
            yield Client(f"openssl-directory:{path}", "openssl", openssl.by_directories(reading, (path,)))


def _pointed(reading: FileReader) -> Iterator[Client]:
    """The files to which variables point programs that are no clients of their own."""
    for variable in VARIABLES:
        path = reading.named(variable.name)
        if not variable.clients and path and reading.is_file(path):
            yield _bundle(reading, path)


def _bundle(reading: FileReader, path: str) -> Client:
    return Client(f"openssl-bundle:{path}", "openssl", lambda _: openssl.by_bundle(reading, path))


def _apart(reading: FileReader, paths: Iterable[str], default: str) -> list[str]:
    """Those of ``paths`` that exist and are not the default, each file or directory once."""
    reals = {reading.view.real_path(default): default}
    for path in paths:
        real = reading.view.real_path(path)
        if real is not None:
            reals.setdefault(real, path)
    return [path for path in reals.values() if path != default]
