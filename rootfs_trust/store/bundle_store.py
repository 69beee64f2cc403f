"""Stores whose bundle is itself the source: distroless and similar images, and OpenWrt.

No tool on the device rebuilds the bundle. Its content is therefore kept byte for byte; anchors are appended, and
removed certificates are cut out. OpenWrt may also have a directory of certificate files with hash links, with or
without a bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rootfs_trust.errors import ALREADY_INSTALLED, CONFLICT
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import NoTool
from rootfs_trust.rootfs.view import Absent, File, View, join, read
from rootfs_trust.store.anchor import Anchor, name_of_subject
from rootfs_trust.store.anchor_sources import AnchorSources, stem
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.hash_links import hash_links
from rootfs_trust.store.selection import DIGEST, Held, not_found, with_selections
from rootfs_trust.store.source_file import Source, fault_of, missing_issuers, read_source, without_purposes
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import Certificate, encode, read_objects

_BEGIN, _END = b"-----BEGIN ", b"-----END "


def plan_bundle(layout: Layout, tool: NoTool, view: View, request: Request) -> StorePlan:
    """Plan the store for ``request``."""
    plan = StorePlan()
    data = read(view, layout.bundle) or b""
    bundle = read_source(layout.bundle, data) if data else Source(layout.bundle, b"", ())
    folder = AnchorSources(layout.local, file_link_name, _files(view, layout), (), ())
    found = dict(folder.sources)
    more = [read_source(path, read(view, path) or b"") for path in tool.outputs]
    sources = [bundle, *more, *found.values()]
    plan.conflicts += (fault_of(source) for source in sources if source.fault)
    request = without_purposes(request, plan, layout.name)
    request = with_presets(request, sources, plan)
    request = with_selections(request, _certificates_before(bundle, [*more, *found.values()]), plan, layout.name)
    removed = _digests_to_remove(sources, request, plan)
    plan.removed += (_anchor_of(each) for each in bundle.certificates if each.sha256 in removed)
    if layout.hash_directory:
        _change_directory(folder, removed, request, plan)
        if layout.bundle in folder.changed:
            message = f"is the bundle; the file of an anchor named {stem(layout.bundle)} would overwrite it"
            plan.conflicts.append(CONFLICT(layout.bundle, message, "give the anchor another name"))
        plan.desired |= {path: node for path, node in folder.changed.items() if path not in found}
    if data or not found:
        plan.desired[layout.bundle] = File(_rewritten(data, bundle, removed, request))
    plan.desired |= {each.path: File(_rewritten(each.data, each, removed, request)) for each in more}
    if layout.hash_directory:
        replaced = {path: node for path, node in folder.changed.items() if path in found}
        plan.desired |= {path: node for path, node in replaced.items() if isinstance(node, File)}
        files = {path.rpartition("/")[2]: source for path, source in folder.sources.items()}
        plan.desired |= hash_links(view, layout.hash_directory, files, map(file_link_name, found))
        # Last, as plans delete in this order: if a run is interrupted, the next one still finds the source by name.
        plan.desired |= {path: node for path, node in replaced.items() if isinstance(node, Absent)}
    _report(bundle, found, folder, removed, request, plan)
    return plan


def _files(view: View, layout: Layout) -> dict[str, Source]:
    """Return the certificate files of the directory, by path."""
    found: dict[str, Source] = {}
    for name in view.names(layout.hash_directory) if layout.hash_directory else ():
        path = join(layout.hash_directory, name)
        data = read(view, path) if name.endswith(".crt") and path != layout.bundle else None
        if data is not None:
            found[path] = read_source(path, data)
    return found


def file_link_name(path: str) -> str:
    """Return the base name of a file. Hash links point to the file itself, so it needs no separate link."""
    return path.rpartition("/")[2]


def _certificates_before(bundle: Source, files: Iterable[Source]) -> Held:
    """Return the certificates of the rootfs. All count as shipped, because the rootfs does not show who added them."""
    sources = (bundle, *files)
    return Held(
        [each for source in sources for each in source.certificates],
        (),
        (),
        [name for source in sources for name, _ in _names(source)],
    )


def _digests_to_remove(sources: list[Source], request: Request, plan: StorePlan) -> set[str]:
    """Return the SHA-256 of the certificates to remove. A name that matches nothing is an error in ``plan``."""
    wanted = {anchor.certificate.sha256 for anchor in request.anchors}
    present = {each.sha256: each for source in sources for each in source.certificates}
    removed = {sha256 for sha256 in present if sha256 in request.distrust or (request.only and sha256 not in wanted)}
    names = [(name, sha256) for source in sources for name, sha256 in _names(source)]
    for name in request.remove:
        named = {sha256 for known, sha256 in names if name in (known, DIGEST + sha256)}
        if not named:
            plan.problems.append(not_found(name, dict(names)))
        removed |= named
    subjects = {each.certificate.subject.canonical for each in request.anchors if each.replace}
    return removed | ({sha256 for sha256, each in present.items() if each.subject.canonical in subjects} - wanted)


def _names(source: Source) -> Iterator[tuple[str, str]]:
    """Yield each name of each certificate, and its SHA-256. Names come from the subject, and from the file if it
    contains no other certificate.
    """
    for each in source.certificates:
        yield _anchor_of(each).name, each.sha256
        if len(source.certificates) == 1:
            yield stem(source.path), each.sha256


def _anchor_of(certificate: Certificate) -> Anchor:
    return Anchor(name_of_subject(certificate.subject, certificate.sha256), certificate, "")


def _change_directory(folder: AnchorSources, removed: set[str], request: Request, plan: StorePlan) -> None:
    if request.adopt:
        folder.adopt()
    for path, source in list(folder.sources.items()):
        for sha256 in sorted(removed.intersection(each.sha256 for each in source.certificates)):
            folder.remove(path, sha256)
    for anchor in request.anchors:
        folder.add(anchor)
    plan.removed += folder.removed
    plan.conflicts += folder.conflicts
    plan.warnings += folder.warnings


def _rewritten(data: bytes, bundle: Source, removed: set[str], request: Request) -> bytes:
    """Return the bundle without the removed certificates, and with the anchors that it does not contain."""
    held = {each.sha256 for each in bundle.certificates}
    text = b"".join(part for part in parts_of(data) if not removed.intersection(_digests(part)))
    if text and not text.endswith(b"\n"):
        text += b"\n"
    added = (anchor.certificate for anchor in request.anchors)
    return text + b"".join(encode(each.der) for each in added if each.sha256 not in held)


def parts_of(data: bytes) -> Iterator[bytes]:
    """Yield the PEM blocks of ``data`` and the text between them. Joined, they are ``data`` again."""
    position = 0
    while (begin := data.find(_BEGIN, position)) >= 0:
        end = data.find(_END, begin)
        newline = data.find(b"\n", end) if end >= 0 else -1
        yield data[position:begin]
        position = newline + 1 if newline >= 0 else len(data)
        yield data[begin:position]
    yield data[position:]


def _digests(part: bytes) -> Iterator[str]:
    return (certificate.sha256 for _, certificate in read_objects(part).certificates)


def _report(
    bundle: Source,
    found: dict[str, Source],
    folder: AnchorSources,
    removed: set[str],
    request: Request,
    plan: StorePlan,
) -> None:
    plan.removed[:] = {anchor.certificate.sha256: anchor for anchor in plan.removed}.values()
    plan.installed += folder.installed or request.anchors
    held = {each.sha256 for source in (bundle, *found.values()) for each in source.certificates}
    for anchor in request.anchors:
        if not folder.installed and anchor.certificate.sha256 in held:
            plan.warnings.append(ALREADY_INSTALLED(anchor.where, f"is already in {bundle.path}"))
    kept = tuple(each for each in bundle.certificates if each.sha256 not in removed)
    added = tuple(anchor.certificate for anchor in request.anchors)
    plan.warnings += missing_issuers(request.anchors, [Source("", b"", (*kept, *added)), *folder.sources.values()])
