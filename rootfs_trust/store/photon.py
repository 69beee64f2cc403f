"""Photon OS's store: the files of the hash directory are the sources, and the bundle is made of them.

``rehash_ca_certificates.sh`` runs ``openssl rehash`` over the directory and then ``cat *.pem`` into the bundle, so that
an anchor that only the bundle holds is gone after its next run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.view import Absent, File, View, as_bytes, join, read
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.anchor_sources import LocalFolder
from rootfs_trust.store.buildroot import change
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.hash_links import hash_links, rehashable
from rootfs_trust.store.layout import Request, StorePlan
from rootfs_trust.store.selection import Held, with_selections
from rootfs_trust.store.source_file import (
    Source,
    judge_sources,
    missing_issuers,
    read_source,
    read_source_at,
    unsourced,
    without_purposes,
)
from rootfs_trust.x509 import Certificate

_SUFFIX = ".pem"
_PACKAGE = "/usr/bin/remove-expired-certs.sh"
_SHIPPED = re.compile(r"[0-9a-f]{8}\.pem")
"""How make-ca.sh names the file of a root: by its subject hash. The files have text around the PEM block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotonStore:
    """The layout of Photon OS. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    ids: tuple[str, ...] = ()
    """IDs of os-release that are such a system; those of ID_LIKE count, too."""
    local: str = "/etc/ssl/certs"
    bundle: str = "/etc/pki/tls/certs/ca-bundle.crt"
    hash_directory: str = "/etc/ssl/certs"

    @property
    def outputs(self) -> tuple[str, ...]:
        """See Layout."""
        return self.bundle, self.hash_directory

    @property
    def keystores(self) -> tuple[str, ...]:
        """See Layout."""
        return ()

    @property
    def reads(self) -> tuple[str, ...]:
        """See Layout."""
        return (
            f"`{self.local}`: `*.pem`, no subdirectories, in byte order; `HASH.pem` belongs to the distribution",
            f"`{self.hash_directory}`: `*.crt`, `*.cer` and `*.crl`, which get hash links",
        )

    @property
    def writes(self) -> tuple[str, ...]:
        """See Layout."""
        return (
            f"`{self.local}/NAME.pem` (0644)",
            f"`{self.bundle}` (0644), the bytes of every `*.pem`",
            f"`{self.hash_directory}/HASH.N`: relative hash links, new style",
        )

    def is_installed(self, view: View) -> bool:
        """Whether the tree has the package ca-certificates, and not only the bundle of ca-certificates-pki."""
        return view.kind(_PACKAGE) is File or any(name.endswith(_SUFFIX) for name in view.names(self.local))

    def answer(self, view: View, request: Request) -> StorePlan:
        """The store that ``request`` makes of the rootfs ``view``."""
        answer = StorePlan()
        found = self._sources(view)
        request = without_purposes(request, answer, self.name)
        request = with_presets(request, found.values(), answer)
        folder = LocalFolder(self.local, _file_name, dict(found), (), (), suffix=_SUFFIX)
        request = with_selections(request, _held(folder), answer, self.name)
        change(folder, request, answer)
        sources = [folder.sources[path] for path in sorted(folder.sources, key=as_bytes)]
        judge_sources(sources, answer)
        answer.warnings += missing_issuers(request.anchors, sources)
        answer.warnings += (_returns(each) for each in answer.removed if _is_shipped(each.where))
        self._bundle_before(view, [*found.values(), *sources], request, answer)
        self._write(view, found, folder, sources, answer)
        return answer

    def _sources(self, view: View) -> dict[str, Source]:
        """The files that the script's ``*.pem`` matches, by path."""
        names = (name for name in view.names(self.local) if name.endswith(_SUFFIX) and not name.startswith("."))
        paths = (join(self.local, name) for name in names)
        return {path: _read(view, path) for path in paths if view.kind(path) is File}

    def _bundle_before(self, view: View, sources: list[Source], request: Request, answer: StorePlan) -> None:
        """A conflict for each certificate that only the bundle holds.

        Expired ones may go: the package deletes their files at each update (remove-expired-certs.sh), and not what the
        bundle holds of them.
        """
        data = read(view, self.bundle)
        bundle = read_source(self.bundle, data or b"")
        known = {each.sha256 for source in sources for each in source.certificates}
        expired = [each for each in bundle.certificates if each.sha256 not in known and _ended(each, request.at)]
        answer.expired |= {each.sha256 for each in expired}
        if not request.drop_unsourced:
            answer.conflicts += unsourced(self.bundle, data, [*sources, Source(self.bundle, b"", tuple(expired))])

    def _write(
        self, view: View, found: dict[str, Source], folder: LocalFolder, sources: list[Source], answer: StorePlan
    ) -> None:
        new = {path: node for path, node in folder.changed.items() if path not in found}
        replaced = {path: node for path, node in folder.changed.items() if path in found and isinstance(node, File)}
        answer.desired |= {**new, self.bundle: File(b"".join(map(_bundled, sources))), **replaced}
        others = (name for name in view.names(self.hash_directory) if rehashable(name) and not name.endswith(_SUFFIX))
        files = {name: read_source_at(view, join(self.hash_directory, name)) for name in others}
        files |= {_file_name(source.path): source for source in sources}
        answer.desired |= hash_links(view, self.hash_directory, files, map(_file_name, found))
        answer.desired |= {path: node for path, node in folder.changed.items() if isinstance(node, Absent)}


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _is_shipped(path: str) -> bool:
    return _SHIPPED.fullmatch(_file_name(path)) is not None


def _held(folder: LocalFolder) -> Held:
    def certificates(shipped: bool) -> list[Certificate]:
        sources = (source for path, source in folder.sources.items() if _is_shipped(path) is shipped)
        return [each for source in sources for each in source.certificates]

    return Held(certificates(True), certificates(False), (), list(map(folder.name_of, folder.sources)))


def _ended(certificate: Certificate, at: datetime | None) -> bool:
    return at is not None and certificate.not_after is not None and certificate.not_after < at


def _read(view: View, path: str) -> Source:
    """A source, judged as the script takes it: the text in the files of the package does no harm."""
    source = read_source_at(view, path)
    if not source.data.endswith(b"\n"):
        return replace(source, untidy="has no newline at its end: the script spoils the certificate behind it")
    harmless = _is_shipped(path) and len(source.certificates) == 1
    return replace(source, untidy="") if harmless else source


def _bundled(source: Source) -> bytes:
    """What the bundle has of a source: ``cat``, and a newline where the last line has none."""
    return source.data if source.data.endswith(b"\n") else source.data + b"\n"


def _returns(anchor: Anchor) -> Problem:
    message = "is deleted; the next update of Photon's package ca-certificates brings it back, and with it the trust"
    return Problem("package-restores", anchor.where, message, "run rootfs-trust again after each update of the package")
