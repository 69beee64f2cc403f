"""Runtimes and applications with a separate trust store, and the anchors that each of them lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import ModuleType
from typing import NamedTuple

from rootfs_trust.clients import browsers, castore, certifi, java, mono, node
from rootfs_trust.clients.client import FoundAnchors
from rootfs_trust.clients.environment_variables import variable
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.runtimes.programs import MONO_STORE

_MODULES = (certifi, java, node, castore, mono, browsers)


class Unseen(NamedTuple):
    """A store that lacks anchors.

    ``runtime``  the name in ``--runtimes``
    ``path``     the store, or the program if its roots are compiled in
    ``missing``  SHA-256 of the anchors, in the requested order
    """

    runtime: str
    path: str
    missing: tuple[str, ...]


def unseen(reading: FileReader, anchors: Collection[str], system: Collection[str]) -> Iterator[Unseen]:
    """Yield each store of the rootfs that lacks one of ``anchors`` (SHA-256), except those at the real paths
    ``system``.
    """
    for module in _MODULES:
        for client in module.clients(reading) if _has_own_store(reading, module) else ():
            found = client.find(None)
            held = {anchor.certificate.sha256 for anchor in found.anchors}
            missing = tuple(sha256 for sha256 in anchors if sha256 not in held)
            path = _path(reading, client.name, found)
            if missing and reading.view.real_path(path) not in system:
                yield Unseen(client.name.partition(":")[0], path, missing)


def _has_own_store(reading: FileReader, module: ModuleType) -> bool:
    """Return whether nothing in the rootfs makes the programs use a store of the system."""
    if module is certifi:
        return not any(reading.is_file(path) for path, _ in variable(reading, "REQUESTS_CA_BUNDLE"))
    return module is not node or node.keeps_apart(reading)


def _path(reading: FileReader, name: str, found: FoundAnchors) -> str:
    """Return where a client has its anchors. If they are compiled in: the policies that add to them, or the program."""
    if name == "node":
        return node.program(reading) or "/"
    return MONO_STORE if name == "mono" else found.searched.rpartition(" ")[2]
