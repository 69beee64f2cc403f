"""Buildroot's store: links and a bundle of every certificate file below one directory.

A finalize hook of Buildroot writes the store at the end of each build, from all files in the directory. The device has
no tool for it.
"""

from __future__ import annotations

from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import BuildrootHook
from rootfs_trust.rootfs.view import Directory, File, View, as_bytes, read
from rootfs_trust.store.anchor_sources import AnchorSources, sources_with, stem
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.hash_links import hash_directory, links_into
from rootfs_trust.store.selection import DIGEST, Held, not_found, with_selections
from rootfs_trust.store.source_file import (
    Source,
    certificate_files,
    missing_issuers,
    read_source_at,
    report_defects,
    unsourced,
    without_purposes,
)
from rootfs_trust.store.store_plan import Request, StorePlan


def plan_buildroot(layout: Layout, tool: BuildrootHook, view: View, request: Request) -> StorePlan:
    """Plan the store for ``request``."""
    plan = StorePlan()
    found = {path: read_source_at(view, path) for path in certificate_files(view, tool.sources)}
    request = without_purposes(request, plan, layout.name)
    request = with_presets(request, found.values(), plan)
    request = with_selections(request, _certificates_before(layout, found), plan, layout.name)
    folder = AnchorSources(layout.local, link_name, dict(found), (), ())
    change(folder, request, plan)
    sources = [folder.sources[path] for path in sorted(folder.sources, key=as_bytes)]
    report_defects(sources, plan)
    plan.warnings += missing_issuers(request.anchors, sources)
    if not request.drop_unsourced:
        plan.conflicts += unsourced(layout.bundle, read(view, layout.bundle), [*found.values(), *sources])
    _write(view, layout, tool, found, folder, sources, plan)
    return plan


def _certificates_before(layout: Layout, found: dict[str, Source]) -> Held:
    local = [source for path, source in found.items() if path.startswith(f"{layout.local}/")]
    shipped = [source for path, source in found.items() if not path.startswith(f"{layout.local}/")]
    return Held(
        [each for source in shipped for each in source.certificates],
        [each for source in local for each in source.certificates],
        (),
        list(map(stem, found)),
    )


def _write(
    view: View,
    layout: Layout,
    tool: BuildrootHook,
    found: dict[str, Source],
    folder: AnchorSources,
    sources: list[Source],
    plan: StorePlan,
) -> None:
    # Even if no anchor is added: removing the last anchor must give the tree from before the first one.
    plan.desired[layout.local] = Directory()
    new = {path: node for path, node in folder.changed.items() if path not in found}
    plan.desired |= {**new, layout.bundle: File(b"".join(source.data for source in sources)), **folder.changed}
    links = {link_name(source.path): (f"../../..{source.path}", source) for source in sources}
    stale = links_into(view, layout.hash_directory, (f"../../..{tool.sources}/",))
    name = layout.bundle.rpartition("/")[2]
    plan.desired |= hash_directory(view, layout.hash_directory, links, bundle=name, stale=stale)


def link_name(path: str) -> str:
    """Return the name of a source's link: its base name, with no character changed."""
    return f"{stem(path)}.pem"


def change(folder: AnchorSources, request: Request, plan: StorePlan) -> None:
    """Add and remove sources in ``folder`` as the request says."""
    if request.adopt:
        folder.adopt()
    for wanted in request.remove:
        sha256 = wanted.removeprefix(DIGEST) if wanted.startswith(DIGEST) else None
        if not _remove(folder, wanted, sha256):
            plan.problems.append(not_found(wanted, map(folder.name_of, folder.sources)))
    for sha256 in sorted(request.distrust):
        _remove(folder, "", sha256)
    if request.only:
        folder.keep_only({anchor.certificate.sha256 for anchor in request.anchors})
    for anchor in request.anchors:
        folder.add(anchor)
    plan.installed += folder.installed
    plan.removed += folder.removed
    plan.conflicts += folder.conflicts
    plan.warnings += folder.warnings


def _remove(folder: AnchorSources, name: str, sha256: str | None) -> bool:
    if sha256 is None:
        paths = [path for path in folder.sources if folder.name_of(path) == name]
    else:
        paths = [source.path for source in sources_with(sha256, folder.sources.values())]
    for path in paths:
        folder.remove(path, sha256)
    return bool(paths)
