"""Finds the certificates that each client of a rootfs trusts for TLS servers, and the file from which it reads each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rootfs_trust.clients import openssl
from rootfs_trust.clients.all_clients import moved_clients, starting
from rootfs_trust.clients.client import Client, ClientAnchor
from rootfs_trust.clients.environment_variables import scopes
from rootfs_trust.clients.file_readers import FileReader, file_reader
from rootfs_trust.clients.table import HASH_DIRECTORIES, VARIABLES
from rootfs_trust.layouts import BUNDLES
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File
from rootfs_trust.x509 import Certificate


class ClientReading(NamedTuple):
    """One client. ``anchors`` are those that it trusts, in its order.

    ``because``: the file or configuration whose variables make it read them; empty for compiled-in paths.
    """

    client: str
    anchors: tuple[ClientAnchor, ...]
    because: str = ""


class TrustingClient(NamedTuple):
    """A client that trusts a certificate, and the path of the file that it reads."""

    client: str
    path: str
    because: str = ""


class TrustedBy(NamedTuple):
    """A certificate, and every client that trusts it."""

    certificate: Certificate
    readers: tuple[TrustingClient, ...]


def readings(device: Device) -> tuple[ClientReading, ...]:
    """Return the trusted anchors of every client of the rootfs: named clients first, then other stores that programs
    may use. Computed once for each device.
    """
    return device.once("client readings", lambda: _readings(file_reader(device)))


def _readings(reading: FileReader) -> tuple[ClientReading, ...]:
    found = [_read(reading, client) for client in starting(reading)]
    found += (_read(reading, client) for client in _other_stores(reading))
    found += (_read(reading, client)._replace(because=scope.place) for scope, client in moved_clients(reading))
    for scope in scopes(reading):
        pointed = _files_of_variables(reading.with_environment({**reading.environment, **scope.variables}))
        found += (_read(reading, client)._replace(because=scope.place) for client in pointed)
    found += (_read(reading, client) for client in _files_of_variables(reading))
    return tuple(found)


def trusted_by(found: Iterable[ClientReading]) -> dict[str, TrustedBy]:
    """Return the certificates that any client trusts, by SHA-256, in the order of clients and files."""
    readers: dict[str, dict[TrustingClient, None]] = {}
    certificates: dict[str, Certificate] = {}
    for each in found:
        for anchor in each.anchors:
            sha256 = anchor.certificate.sha256
            certificates.setdefault(sha256, anchor.certificate)
            readers.setdefault(sha256, {})[TrustingClient(each.client, anchor.path, each.because)] = None
    return {sha256: TrustedBy(certificates[sha256], tuple(readers[sha256])) for sha256 in certificates}


def _read(reading: FileReader, client: Client) -> ClientReading:
    """Return the anchors of a client. Links in the parent directories of their paths are resolved."""
    found = client.find(None)
    anchors = () if found.cannot_start else found.anchors
    return ClientReading(
        client.name, tuple(each._replace(path=reading.place(each.path)) for each in anchors if each.serves)
    )


def _other_stores(reading: FileReader) -> Iterator[Client]:
    """Yield other stores of the rootfs that programs may be configured to use. Their paths are their names."""
    for path in _apart(reading, BUNDLES, openssl.default_bundle(reading)):
        if reading.view.kind(path) is File:
            yield _bundle(reading, path)
    default = openssl.default_directory(reading)
    for path in _apart(reading, HASH_DIRECTORIES, default):
        if reading.is_directory(path):
            yield openssl.DIRECTORY.client(openssl.by_directories(reading, (path,)), path=path)


def _files_of_variables(reading: FileReader) -> Iterator[Client]:
    """Yield the files that variables name for programs that are not among the clients."""
    for variable in VARIABLES:
        path = reading.named(variable.name)
        if not variable.clients and path and reading.is_file(path):
            yield _bundle(reading, path)


def _bundle(reading: FileReader, path: str) -> Client:
    return openssl.BUNDLE.client(lambda _: openssl.by_bundle(reading, path), path=path)


def _apart(reading: FileReader, paths: Iterable[str], default: str) -> list[str]:
    """Return the existing ``paths`` except the default, without duplicates."""
    reals = {reading.view.real_path(default): default}
    for path in paths:
        real = reading.view.real_path(path)
        if real is not None:
            reals.setdefault(real, path)
    return [path for path in reals.values() if path != default]
