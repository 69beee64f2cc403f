"""Buildroot's store: links and a bundle over every certificate file below one folder. Pure.

Buildroot makes the store anew at the end of each build (its finalize hook), from whatever files are there; the
device has no tool for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rootfs_trust.rootfs.view import Directory, File, View, as_bytes, read
from rootfs_trust.store.anchor_sources import DIGEST, LocalFolder, not_found, sources_with, stem
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.hash_links import hash_directory, links_into
from rootfs_trust.store.layout import Request, StorePlan
from rootfs_trust.store.selection import Held, with_selections
from rootfs_trust.store.source_file import (
    Source,
    certificate_files,
    judge_sources,
    missing_issuers,
    read_source_at,
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
    """IDs of os-release that are such a system; those of ID_LIKE count, too."""
    sources: str = "/usr/share/ca-certificates"
    """The folder below which every ``.crt`` file is trusted."""
    local: str = "/usr/share/ca-certificates/local"
    bundle: str = "/etc/ssl/certs/ca-certificates.crt"
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
        return (f"`{self.sources}`: `*.crt`, with subdirectories, in byte order of the whole path",)

    @property
    def writes(self) -> tuple[str, ...]:
        """See Layout."""
        return (
            f"`{self.local}/NAME.crt` (0644)",
            f"`{self.bundle}` (0644), the bytes of the source files, one after the other",
            f"`{self.hash_directory}/NAME.pem`: relative links to the source files",
            f"`{self.hash_directory}/HASH.N`: relative hash links, new style",
        )

    def answer(self, view: View, request: Request) -> StorePlan:
        """The store that ``request`` makes of the rootfs ``view``."""
        answer = StorePlan()
        found = {path: read_source_at(view, path) for path in certificate_files(view, self.sources)}
        request = without_purposes(request, answer, self.name)
        request = with_presets(request, found.values(), answer)
        request = with_selections(request, self._held(found), answer, self.name)
        folder = LocalFolder(self.local, link_name, dict(found), (), ())
        change(folder, request, answer)
        sources = [folder.sources[path] for path in sorted(folder.sources, key=as_bytes)]
        judge_sources(sources, answer)
        answer.warnings += missing_issuers(request.anchors, sources)
        if not request.drop_unsourced:
            answer.conflicts += unsourced(self.bundle, read(view, self.bundle), [*found.values(), *sources])
        self._write(view, found, folder, sources, answer)
        return answer

    def _held(self, found: dict[str, Source]) -> Held:
        local = [source for path, source in found.items() if path.startswith(f"{self.local}/")]
        shipped = [source for path, source in found.items() if not path.startswith(f"{self.local}/")]
        return Held(
            [each for source in shipped for each in source.certificates],
            [each for source in local for each in source.certificates],
            (),
            list(map(stem, found)),
        )

    def _write(
        self, view: View, found: dict[str, Source], folder: LocalFolder, sources: list[Source], answer: StorePlan
    ) -> None:
        # Also where nothing is added: it has to be there before and after an anchor was in it.
        answer.desired[self.local] = Directory()
        new = {path: node for path, node in folder.changed.items() if path not in found}
        answer.desired |= {**new, self.bundle: File(b"".join(source.data for source in sources)), **folder.changed}
        links = {link_name(source.path): (f"../../..{source.path}", source) for source in sources}
        stale = links_into(view, self.hash_directory, (f"../../..{self.sources}/",))
        name = self.bundle.rpartition("/")[2]
        answer.desired |= hash_directory(view, self.hash_directory, links, bundle=name, stale=stale)


def link_name(path: str) -> str:
    """The name of a source's link: its base name, with no character changed."""
    return f"{stem(path)}.pem"


def change(folder: LocalFolder, request: Request, answer: StorePlan) -> None:
    """Add to ``folder`` and remove from it what the request asks for."""
    if request.adopt:
        folder.adopt()
    for wanted in request.remove:
        sha256 = wanted.removeprefix(DIGEST) if wanted.startswith(DIGEST) else None
        if not _remove(folder, wanted, sha256):
            answer.problems.append(not_found(wanted, map(folder.name_of, folder.sources)))
    for sha256 in sorted(request.distrust):
        _remove(folder, "", sha256)
    if request.only:
        _remove_all_but(folder, {anchor.certificate.sha256 for anchor in request.anchors})
    for anchor in request.anchors:
        folder.add(anchor)
    answer.installed += folder.installed
    answer.removed += folder.removed
    answer.conflicts += folder.conflicts
    answer.warnings += folder.warnings


def _remove(folder: LocalFolder, name: str, sha256: str | None) -> bool:
    if sha256 is None:
        paths = [path for path in folder.sources if folder.name_of(path) == name]
    else:
        paths = [source.path for source in sources_with(sha256, folder.sources.values())]
    for path in paths:
        folder.remove(path, sha256)
    return bool(paths)


def _remove_all_but(folder: LocalFolder, wanted: set[str]) -> None:
    for path, source in list(folder.sources.items()):
        for sha256 in {each.sha256 for each in source.certificates} - wanted:
            folder.remove(path, sha256)
