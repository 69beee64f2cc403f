"""The content of a bill of materials, independent of its format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

from rootfs_trust.audit.root_status import RootStatus, root_status
from rootfs_trust.audit.servers import Server
from rootfs_trust.audit.store_files import HashDirectory
from rootfs_trust.audit.trusted_anchors import Trust, TrustedAnchor, certificates_of
from rootfs_trust.inputs.root_data import RootData

TOOL = "rootfs-trust"

_NAMESPACE = uuid5(NAMESPACE_URL, "pkg:generic/rootfs-trust#sbom")


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A store file or hash directory, and the SHA-256 of the trusted certificates in it."""

    path: str
    sha256: str | None
    """SHA-256 of the content; None for a hash directory."""
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """The content of a bill of materials. ``created`` is the time in it."""

    system: str
    system_version: str
    anchors: tuple[TrustedAnchor, ...]
    """The anchors, in the order of their SHA-256."""
    files: tuple[StoreFile, ...]
    """The store files, in the order of their paths."""
    tool_version: str
    created: datetime
    statuses: Mapping[str, RootStatus]
    """The status of each anchor in the root data, by SHA-256."""
    servers: tuple[Server, ...] = ()
    """The servers that the configuration expects the tree to trust or to refuse."""

    @property
    def serial(self) -> UUID:
        """UUID v5 of the content: different documents get different serial numbers (RFC 9562, 5.5)."""
        anchors = [
            [
                *(each.certificate.sha256, each.name, each.origin, each.outputs, each.paths, each.sources),
                self.statuses[each.certificate.sha256],
            ]
            for each in self.anchors
        ]
        files = [asdict(each) for each in self.files]
        servers: list[object] = [[each.name, each.hostname, *server_properties(each)] for each in self.servers]
        told: list[object] = [
            self.system,
            self.system_version,
            anchors,
            files,
            self.tool_version,
            self.created.isoformat(),
        ]
        told += [servers] if servers else []
        return uuid5(_NAMESPACE, sha256(json.dumps(told).encode(), usedforsecurity=False).hexdigest())


def inventory(
    trust: Trust, tool_version: str, created: datetime, data: RootData, servers: tuple[Server, ...] = ()
) -> Inventory:
    """Return the inventory of the tree of ``trust``, with the ``servers`` that its configuration expects."""
    release = trust.device.os_release
    return Inventory(
        plain(release.get("ID") or "rootfs"),
        plain(release.get("VERSION_ID") or ""),
        tuple(sorted(trust.trusted, key=lambda anchor: anchor.certificate.sha256)),
        _files(trust),
        tool_version,
        created,
        {anchor.certificate.sha256: root_status(data, anchor.certificate) for anchor in trust.trusted},
        servers,
    )


def server_properties(server: Server) -> tuple[tuple[str, str], ...]:
    """Return the expectations of a config for a server, as names and values."""
    expected = [("expected", "refused" if server.refused else "trusted")]
    expected += [("until", f"{server.until.date()}")] if server.until else []
    expected += [("certificate-sha256", server.chain.server.sha256)]
    return (*expected, *(("client", name) for name in server.clients))


def plain(text: str) -> str:
    """Return ``text`` as valid Unicode: bytes that are not UTF-8 are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _files(trust: Trust) -> tuple[StoreFile, ...]:
    found = {file.path: file for file in (*_other_files(trust), *_sources(trust), *_outputs(trust))}
    return tuple(found[path] for path in sorted(found))


def _outputs(trust: Trust) -> Iterator[StoreFile]:
    for output in trust.outputs:
        digests = tuple(sorted({each.sha256 for each in output.certificates}))
        file = None if isinstance(output, HashDirectory) else trust.files.at(output.path)
        yield StoreFile(output.path, file and _digest(file.data), digests)


def _other_files(trust: Trust) -> Iterator[StoreFile]:
    """Yield files that are not store files, but from which clients read anchors that no store file contains."""
    held: dict[str, set[str]] = {}
    for anchor in trust.trusted:
        for reader in anchor.readers if not anchor.outputs else ():
            held.setdefault(trust.view.real_path(reader.path) or reader.path, set()).add(anchor.certificate.sha256)
    for path, digests in held.items():
        file = trust.files.at(path)
        yield StoreFile(path, file and _digest(file.data), tuple(sorted(digests)))


def _sources(trust: Trust) -> Iterator[StoreFile]:
    trusted = {anchor.certificate.sha256 for anchor in trust.trusted}
    for path in {path for anchor in trust.trusted for path in anchor.sources}:
        file = trust.files.at(path)
        if file is not None:
            digests = {each.sha256 for each in certificates_of(file)} & trusted
            yield StoreFile(path, _digest(file.data), tuple(sorted(digests)))


def _digest(data: bytes) -> str:
    return sha256(data, usedforsecurity=False).hexdigest()
