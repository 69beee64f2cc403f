"""Buildroot's store: links and a bundle of every certificate file below one directory.

A finalize hook of Buildroot writes the store at the end of each build, from all files in the directory. The device has
no tool for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rootfs_trust.rootfs.view import Directory, File, View, as_bytes, read
from rootfs_trust.store.anchor_sources import AnchorSources, sources_with, stem
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.hash_links import hash_directory, links_into
from rootfs_trust.store.layout import Request, StorePlan
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildrootStore:
    """The layout of Buildroot's ca-certificates package. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    ids: tuple[str, ...] = ()
    """Values of ID and ID_LIKE in os-release that identify such a system."""
    sources: str = "/usr/share/ca-certificates"
    """Every ``.crt`` file below this directory is trusted."""
    local: str = "/usr/share/ca-certificates/local"
    suffix: str = ".crt"
    bundle: str = "/etc/ssl/certs/ca-certificates.crt"
    hash_directory: str = "/etc/ssl/certs"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The bundle and the hash directory."""
        return self.bundle, self.hash_directory

    @property
    def keystores(self) -> tuple[str, ...]:
        """Empty: Buildroot's hook writes no Java keystore."""
        return ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The source files, for docs/layouts.md."""
        return (f"`{self.sources}`: `*.crt`, with subdirectories, in byte order of the whole path",)

    @property
    def writes(self) -> tuple[str, ...]:
        """The written files, for docs/layouts.md."""
        return (
            f"`{self.local}/NAME.crt` (0644)",
            f"`{self.bundle}` (0644), the bytes of the source files, one after the other",
            f"`{self.hash_directory}/NAME.pem`: relative links to the source files",
            f"`{self.hash_directory}/HASH.N`: relative hash links, new style",
        )

    def plan(self, view: View, request: Request) -> StorePlan:
        """Plan the store for ``request``. Implements :meth:`Layout.plan`."""
        plan = StorePlan()
        found = {path: read_source_at(view, path) for path in certificate_files(view, self.sources)}
        request = without_purposes(request, plan, self.name)
        request = with_presets(request, found.values(), plan)
        request = with_selections(request, self._certificates_before(found), plan, self.name)
        folder = AnchorSources(self.local, link_name, dict(found), (), ())
        change(folder, request, plan)
        sources = [folder.sources[path] for path in sorted(folder.sources, key=as_bytes)]
        report_defects(sources, plan)
        plan.warnings += missing_issuers(request.anchors, sources)
        if not request.drop_unsourced:
            plan.conflicts += unsourced(self.bundle, read(view, self.bundle), [*found.values(), *sources])
        self._write(view, found, folder, sources, plan)
        return plan

    def _certificates_before(self, found: dict[str, Source]) -> Held:
        local = [source for path, source in found.items() if path.startswith(f"{self.local}/")]
        shipped = [source for path, source in found.items() if not path.startswith(f"{self.local}/")]
        return Held(
            [each for source in shipped for each in source.certificates],
            [each for source in local for each in source.certificates],
            (),
            list(map(stem, found)),
        )

    def _write(
        self, view: View, found: dict[str, Source], folder: AnchorSources, sources: list[Source], plan: StorePlan
    ) -> None:
        # Even if no anchor is added: removing the last anchor must give the tree from before the first one.
        plan.desired[self.local] = Directory()
        new = {path: node for path, node in folder.changed.items() if path not in found}
        plan.desired |= {**new, self.bundle: File(b"".join(source.data for source in sources)), **folder.changed}
        links = {link_name(source.path): (f"../../..{source.path}", source) for source in sources}
        stale = links_into(view, self.hash_directory, (f"../../..{self.sources}/",))
        name = self.bundle.rpartition("/")[2]
        plan.desired |= hash_directory(view, self.hash_directory, links, bundle=name, stale=stale)


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
