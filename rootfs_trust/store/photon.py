"""Photon OS's store: the files of the hash directory are the sources, and the bundle is generated from them.

``rehash_ca_certificates.sh`` runs ``openssl rehash`` on the directory and then ``cat *.pem`` into the bundle. An anchor
that only the bundle contains is lost at its next run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from rootfs_trust.errors import PACKAGE_RESTORES
from rootfs_trust.rootfs.view import Absent, File, View, as_bytes, join, read
from rootfs_trust.store.anchor_sources import AnchorSources
from rootfs_trust.store.buildroot import change
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.hash_links import hash_links, rehashable
from rootfs_trust.store.layout import Request, StorePlan
from rootfs_trust.store.selection import Held, with_selections
from rootfs_trust.store.source_file import (
    Source,
    missing_issuers,
    read_source,
    read_source_at,
    report_defects,
    unsourced,
    without_purposes,
)
from rootfs_trust.x509 import Certificate

_SUFFIX = ".pem"
_PACKAGE = "/usr/bin/remove-expired-certs.sh"
_SHIPPED = re.compile(r"[0-9a-f]{8}\.pem")
"""File names of roots that make-ca.sh writes: the subject hash. The files have text around the PEM block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotonStore:
    """The layout of Photon OS. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    ids: tuple[str, ...] = ()
    """Values of ID and ID_LIKE in os-release that identify such a system."""
    local: str = "/etc/ssl/certs"
    suffix: str = _SUFFIX
    bundle: str = "/etc/pki/tls/certs/ca-bundle.crt"
    hash_directory: str = "/etc/ssl/certs"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The bundle and the hash directory."""
        return self.bundle, self.hash_directory

    @property
    def keystores(self) -> tuple[str, ...]:
        """Empty: Photon's script writes no Java keystore."""
        return ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The source files, for docs/layouts.md."""
        return (
            f"`{self.local}`: `*.pem`, no subdirectories, in byte order; `HASH.pem` belongs to the distribution",
            f"`{self.hash_directory}`: `*.crt`, `*.cer` and `*.crl`, which get hash links",
        )

    @property
    def writes(self) -> tuple[str, ...]:
        """The written files, for docs/layouts.md."""
        return (
            f"`{self.local}/NAME.pem` (0644)",
            f"`{self.bundle}` (0644), the bytes of every `*.pem`",
            f"`{self.hash_directory}/HASH.N`: relative hash links, new style",
        )

    def is_installed(self, view: View) -> bool:
        """Return whether the rootfs has the package ca-certificates, and not only the bundle of ca-certificates-pki."""
        return view.kind(_PACKAGE) is File or any(name.endswith(_SUFFIX) for name in view.names(self.local))

    def plan(self, view: View, request: Request) -> StorePlan:
        """Plan the store for ``request``. Implements :meth:`Layout.plan`."""
        plan = StorePlan()
        found = self._sources(view)
        request = without_purposes(request, plan, self.name)
        request = with_presets(request, found.values(), plan)
        folder = AnchorSources(self.local, _file_name, dict(found), (), (), suffix=_SUFFIX)
        request = with_selections(request, _certificates_before(folder), plan, self.name)
        change(folder, request, plan)
        sources = [folder.sources[path] for path in sorted(folder.sources, key=as_bytes)]
        report_defects(sources, plan)
        plan.warnings += missing_issuers(request.anchors, sources)
        message = "is deleted; the next update of Photon's package ca-certificates restores it, and it is trusted again"
        plan.warnings += (PACKAGE_RESTORES(each.where, message) for each in plan.removed if _is_shipped(each.where))
        self._check_old_bundle(view, [*found.values(), *sources], request, plan)
        self._write(view, found, folder, sources, plan)
        return plan

    def _sources(self, view: View) -> dict[str, Source]:
        """Return the files that the script's ``*.pem`` matches, by path."""
        names = (name for name in view.names(self.local) if name.endswith(_SUFFIX) and not name.startswith("."))
        paths = (join(self.local, name) for name in names)
        return {path: _read(view, path) for path in paths if view.kind(path) is File}

    def _check_old_bundle(self, view: View, sources: list[Source], request: Request, plan: StorePlan) -> None:
        """Add a conflict for each certificate that only the old bundle contains.

        Expired ones may be dropped: at each update the package deletes their files (remove-expired-certs.sh), but not
        their copies in the bundle.
        """
        data = read(view, self.bundle)
        bundle = read_source(self.bundle, data or b"")
        known = {each.sha256 for source in sources for each in source.certificates}
        expired = [each for each in bundle.certificates if each.sha256 not in known and _expired(each, request.at)]
        plan.expired |= {each.sha256 for each in expired}
        if not request.drop_unsourced:
            plan.conflicts += unsourced(self.bundle, data, [*sources, Source(self.bundle, b"", tuple(expired))])

    def _write(
        self, view: View, found: dict[str, Source], folder: AnchorSources, sources: list[Source], plan: StorePlan
    ) -> None:
        new = {path: node for path, node in folder.changed.items() if path not in found}
        replaced = {path: node for path, node in folder.changed.items() if path in found and isinstance(node, File)}
        plan.desired |= {**new, self.bundle: File(b"".join(map(_bundled, sources))), **replaced}
        other_files = (
            name for name in view.names(self.hash_directory) if rehashable(name) and not name.endswith(_SUFFIX)
        )
        files = {name: read_source_at(view, join(self.hash_directory, name)) for name in other_files}
        files |= {_file_name(source.path): source for source in sources}
        plan.desired |= hash_links(view, self.hash_directory, files, map(_file_name, found))
        plan.desired |= {path: node for path, node in folder.changed.items() if isinstance(node, Absent)}


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _is_shipped(path: str) -> bool:
    return _SHIPPED.fullmatch(_file_name(path)) is not None


def _certificates_before(folder: AnchorSources) -> Held:
    def certificates(shipped: bool) -> list[Certificate]:
        sources = (source for path, source in folder.sources.items() if _is_shipped(path) is shipped)
        return [each for source in sources for each in source.certificates]

    return Held(certificates(True), certificates(False), (), list(map(folder.name_of, folder.sources)))


def _expired(certificate: Certificate, at: datetime | None) -> bool:
    return at is not None and certificate.not_after is not None and certificate.not_after < at


def _read(view: View, path: str) -> Source:
    """Read a source and check it the way the script would. Text in the files of the package does no harm."""
    source = read_source_at(view, path)
    if not source.data.endswith(b"\n"):
        malformed = "has no newline at its end: the script breaks the next certificate in the bundle"
        return source._replace(malformed=malformed)
    harmless = _is_shipped(path) and len(source.certificates) == 1
    return source._replace(malformed="") if harmless else source


def _bundled(source: Source) -> bytes:
    """Return a source's part of the bundle, with a newline if its last line has none."""
    return source.data if source.data.endswith(b"\n") else source.data + b"\n"
