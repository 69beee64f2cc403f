"""What goes into a bill of materials, whatever its format: the same tree gives the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

from rootfs_trust.audit.outputs import HashDirectory
from rootfs_trust.audit.trust import Trust, TrustedAnchor, certificates_of
from rootfs_trust.store.detect import os_release

TOOL = "rootfs-trust"

_NAMESPACE = uuid5(NAMESPACE_URL, "pkg:generic/rootfs-trust#sbom")


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A file or folder of the trust store, and the SHA-256 of the trusted certificates that are found in it."""

    path: str
    sha256: str | None
    """Of its content; None for a hash directory."""
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that a document says. ``created`` is the time that it bears."""

    system: str
    system_version: str
    anchors: tuple[TrustedAnchor, ...]
    """In the order of their SHA-256."""
    files: tuple[StoreFile, ...]
    """In the order of their paths."""
    tool_version: str
    created: datetime

    @property
    def serial(self) -> UUID:
        """Made from all that the document says (RFC 9562, 5.5), so that two that differ have two serial numbers."""
        anchors = [
            [each.certificate.sha256, each.name, each.origin, each.outputs, each.paths, each.sources]
            for each in self.anchors
        ]
        files = [asdict(each) for each in self.files]
        told = [self.system, self.system_version, anchors, files, self.tool_version, self.created.isoformat()]
        return uuid5(_NAMESPACE, sha256(json.dumps(told).encode(), usedforsecurity=False).hexdigest())


def inventory(trust: Trust, tool_version: str, created: datetime) -> Inventory:
    """The inventory of the tree of ``trust``."""
    release = os_release(trust.view)
    return Inventory(
        plain(release.get("ID") or "rootfs"),
        plain(release.get("VERSION_ID") or ""),
        tuple(sorted(trust.anchors, key=lambda anchor: anchor.certificate.sha256)),
        _files(trust),
        tool_version,
        created,
    )


def plain(text: str) -> str:
    """``text`` as Unicode that every reader of JSON takes: bytes of a name that are no UTF-8 are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _files(trust: Trust) -> tuple[StoreFile, ...]:
    found = {file.path: file for file in (*_sources(trust), *_outputs(trust))}
    return tuple(found[path] for path in sorted(found))


def _outputs(trust: Trust) -> Iterator[StoreFile]:
    for output in trust.outputs:
        digests = tuple(sorted({each.sha256 for each in output.certificates}))
        file = None if isinstance(output, HashDirectory) else trust.files.at(output.path)
        yield StoreFile(output.path, file and _digest(file.data), digests)


def _sources(trust: Trust) -> Iterator[StoreFile]:
    trusted = {anchor.certificate.sha256 for anchor in trust.anchors}
    for path in {path for anchor in trust.anchors for path in anchor.sources}:
        file = trust.files.at(path)
        if file is not None:
            digests = {each.sha256 for each in certificates_of(file)} & trusted
            yield StoreFile(path, _digest(file.data), tuple(sorted(digests)))


def _digest(data: bytes) -> str:
    return sha256(data, usedforsecurity=False).hexdigest()
