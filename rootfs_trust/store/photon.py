"""Photon OS's store: the files of the hash directory are the sources, and the bundle is generated from them.

``rehash_ca_certificates.sh`` runs ``openssl rehash`` on the directory and then ``cat *.pem`` into the bundle. An anchor
that only the bundle contains is lost at its next run.
"""

from __future__ import annotations

import re
from datetime import datetime

from rootfs_trust.errors import PACKAGE_RESTORES
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rootfs.view import Absent, File, View, as_bytes, join, read
from rootfs_trust.store.anchor_sources import AnchorSources
from rootfs_trust.store.buildroot import change
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.hash_links import hash_links, rehashable
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
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import Certificate

_SUFFIX = ".pem"
_SHIPPED = re.compile(r"[0-9a-f]{8}\.pem")
"""File names of roots that make-ca.sh writes: the subject hash. The files have text around the PEM block."""


def plan_photon(layout: Layout, view: View, request: Request) -> StorePlan:
    """Plan the store for ``request``."""
    plan = StorePlan()
    found = _sources(view, layout)
    request = without_purposes(request, plan, layout.name)
    request = with_presets(request, found.values(), plan)
    folder = AnchorSources(layout.local, _file_name, dict(found), (), (), suffix=_SUFFIX)
    request = with_selections(request, _certificates_before(folder), plan, layout.name)
    change(folder, request, plan)
    sources = [folder.sources[path] for path in sorted(folder.sources, key=as_bytes)]
    report_defects(sources, plan)
    plan.warnings += missing_issuers(request.anchors, sources)
    message = "is deleted; the next update of Photon's package ca-certificates restores it, and it is trusted again"
    plan.warnings += (PACKAGE_RESTORES(each.where, message) for each in plan.removed if _is_shipped(each.where))
    _check_old_bundle(view, layout, [*found.values(), *sources], request, plan)
    _write(view, layout, found, folder, sources, plan)
    return plan


def _sources(view: View, layout: Layout) -> dict[str, Source]:
    """Return the files that the script's ``*.pem`` matches, by path."""
    names = (name for name in view.names(layout.local) if name.endswith(_SUFFIX) and not name.startswith("."))
    paths = (join(layout.local, name) for name in names)
    return {path: _read(view, path) for path in paths if view.kind(path) is File}


def _check_old_bundle(view: View, layout: Layout, sources: list[Source], request: Request, plan: StorePlan) -> None:
    """Add a conflict for each certificate that only the old bundle contains.

    Expired ones may be dropped: at each update the package deletes their files (remove-expired-certs.sh), but not
    their copies in the bundle.
    """
    data = read(view, layout.bundle)
    bundle = read_source(layout.bundle, data or b"")
    known = {each.sha256 for source in sources for each in source.certificates}
    expired = [each for each in bundle.certificates if each.sha256 not in known and _expired(each, request.at)]
    plan.expired |= {each.sha256 for each in expired}
    if not request.drop_unsourced:
        plan.conflicts += unsourced(layout.bundle, data, [*sources, Source(layout.bundle, b"", tuple(expired))])


def _write(
    view: View,
    layout: Layout,
    found: dict[str, Source],
    folder: AnchorSources,
    sources: list[Source],
    plan: StorePlan,
) -> None:
    new = {path: node for path, node in folder.changed.items() if path not in found}
    replaced = {path: node for path, node in folder.changed.items() if path in found and isinstance(node, File)}
    plan.desired |= {**new, layout.bundle: File(b"".join(map(_bundled, sources))), **replaced}
    other_files = (
        name for name in view.names(layout.hash_directory) if rehashable(name) and not name.endswith(_SUFFIX)
    )
    files = {name: read_source_at(view, join(layout.hash_directory, name)) for name in other_files}
    files |= {_file_name(source.path): source for source in sources}
    plan.desired |= hash_links(view, layout.hash_directory, files, map(_file_name, found))
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
