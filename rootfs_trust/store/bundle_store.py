"""Stores whose bundle is a source itself: distroless and scratch-like trees, and OpenWrt's. Pure.

There is no tool on the device that would build the bundle anew, so what is in it stays, byte for byte, and
anchors are added at its end or cut out of it. OpenWrt may have a folder of certificate files with hash links
beside it, or instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.view import Absent, File, View, join, read
from rootfs_trust.store.anchor import Anchor, name_of_subject
from rootfs_trust.store.anchor_sources import DIGEST, LocalFolder, not_found, stem
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.hash_links import hash_links
from rootfs_trust.store.layout import Request, StorePlan
from rootfs_trust.store.selection import Held, with_selections
from rootfs_trust.store.source_file import Source, fault_of, missing_issuers, read_source, without_purposes
from rootfs_trust.x509 import Certificate, encode, read_objects

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/pki/tls/certs/ca-certificates.crt",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/cert.pem",
    "/usr/lib/ssl/cert.pem",
    "/usr/lib/ssl-3/cert.pem",
)
"""Files of all anchors for TLS, to which programs are pointed on some distribution; the first is the usual one."""

_BEGIN, _END = b"-----BEGIN ", b"-----END "


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleStore:
    """The layout of a tree whose bundle is a source. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    ids: tuple[str, ...] = ()
    """IDs of os-release that are such a system; those of ID_LIKE count, too."""
    bundle: str = "/etc/ssl/certs/ca-certificates.crt"
    more: tuple[str, ...] = ()
    """Other bundles that are files of their own: Azure Linux's distroless images copy one to /etc/pki/tls/cert.pem."""
    hash_directory: str = ""
    """A folder whose ``.crt`` files are sources too and have hash links; empty where there is none."""

    @property
    def local(self) -> str:
        """Where anchors go."""
        return self.hash_directory or self.bundle

    @property
    def outputs(self) -> tuple[str, ...]:
        """See Layout."""
        return (self.bundle, *self.more, *filter(None, (self.hash_directory,)))

    @property
    def keystores(self) -> tuple[str, ...]:
        """See Layout."""
        return ()

    @property
    def reads(self) -> tuple[str, ...]:
        """See Layout."""
        bundle = f"`{self.bundle}`: its content is kept, byte for byte"
        return (f"`{self.hash_directory}`: `*.crt`", bundle) if self.hash_directory else (bundle,)

    @property
    def writes(self) -> tuple[str, ...]:
        """See Layout."""
        bundle = f"`{self.bundle}` (0644): anchors at its end"
        if not self.hash_directory:
            return (bundle,)
        return (
            f"`{self.hash_directory}/NAME.crt` (0644)",
            f"{bundle}; where there are certificate files and no bundle, none is made",
            f"`{self.hash_directory}/HASH.N`: relative hash links, new style",
        )

    def answer(self, view: View, request: Request) -> StorePlan:
        """The store that ``request`` makes of the rootfs ``view``."""
        answer = StorePlan()
        data = read(view, self.bundle) or b""
        bundle = read_source(self.bundle, data) if data else Source(self.bundle, b"", ())
        folder = LocalFolder(self.local, file_link_name, self._files(view), (), ())
        found = dict(folder.sources)
        more = [read_source(path, read(view, path) or b"") for path in self.more]
        sources = [bundle, *more, *found.values()]
        answer.conflicts += (fault_of(source) for source in sources if source.fault)
        request = without_purposes(request, answer, self.name)
        request = with_presets(request, sources, answer)
        request = with_selections(request, _held(bundle, [*more, *found.values()]), answer, self.name)
        gone = _gone(sources, request, answer)
        answer.removed += (_named(each) for each in bundle.certificates if each.sha256 in gone)
        if self.hash_directory:
            _change_folder(folder, gone, request, answer)
            if self.bundle in folder.changed:
                answer.conflicts.append(_named_like(self.bundle))
            answer.desired |= {path: node for path, node in folder.changed.items() if path not in found}
        if data or not found:
            answer.desired[self.bundle] = File(_changed(data, bundle, gone, request))
        answer.desired |= {each.path: File(_changed(each.data, each, gone, request)) for each in more}
        if self.hash_directory:
            replaced = {path: node for path, node in folder.changed.items() if path in found}
            answer.desired |= {path: node for path, node in replaced.items() if isinstance(node, File)}
            files = {path.rpartition("/")[2]: source for path, source in folder.sources.items()}
            answer.desired |= hash_links(view, self.hash_directory, files, map(file_link_name, found))
            # Last, as plans delete in this order: a run that is cut short then still finds the source by its name.
            answer.desired |= {path: node for path, node in replaced.items() if isinstance(node, Absent)}
        _tell(bundle, found, folder, gone, request, answer)
        return answer

    def _files(self, view: View) -> dict[str, Source]:
        """The certificate files of the folder, by path."""
        found: dict[str, Source] = {}
        for name in view.names(self.hash_directory) if self.hash_directory else ():
            path = join(self.hash_directory, name)
            data = read(view, path) if name.endswith(".crt") and path != self.bundle else None
            if data is not None:
                found[path] = read_source(path, data)
        return found


def file_link_name(path: str) -> str:
    """Files of the folder are found by their own names."""
    return path.rpartition("/")[2]


def _held(bundle: Source, files: Iterable[Source]) -> Held:
    """Everything counts as shipped: nothing in such a tree tells who has added it."""
    sources = (bundle, *files)
    return Held(
        [each for source in sources for each in source.certificates],
        (),
        (),
        [name for source in sources for name, _ in _names(source)],
    )


def _gone(sources: list[Source], request: Request, answer: StorePlan) -> set[str]:
    """SHA-256 of the certificates that have to go."""
    wanted = {anchor.certificate.sha256 for anchor in request.anchors}
    held = {each.sha256: each for source in sources for each in source.certificates}
    gone = {sha256 for sha256 in held if sha256 in request.distrust or (request.only and sha256 not in wanted)}
    names = [(name, sha256) for source in sources for name, sha256 in _names(source)]
    for name in request.remove:
        named = {sha256 for known, sha256 in names if name in (known, DIGEST + sha256)}
        if not named:
            answer.problems.append(not_found(name, dict(names)))
        gone |= named
    subjects = {each.certificate.subject.canonical for each in request.anchors if each.replace}
    return gone | ({sha256 for sha256, each in held.items() if each.subject.canonical in subjects} - wanted)


def _names(source: Source) -> Iterator[tuple[str, str]]:
    """What each certificate may be called: by its subject, and by its file where it has one of its own."""
    for each in source.certificates:
        yield _named(each).name, each.sha256
        if len(source.certificates) == 1:
            yield stem(source.path), each.sha256


def _named(certificate: Certificate) -> Anchor:
    return Anchor(name_of_subject(certificate.subject, certificate.sha256), certificate, "")


def _change_folder(folder: LocalFolder, gone: set[str], request: Request, answer: StorePlan) -> None:
    if request.adopt:
        folder.adopt()
    for path, source in list(folder.sources.items()):
        for sha256 in gone.intersection(each.sha256 for each in source.certificates):
            folder.remove(path, sha256)
    for anchor in request.anchors:
        folder.add(anchor)
    answer.removed += folder.removed
    answer.conflicts += folder.conflicts
    answer.warnings += folder.warnings


def _named_like(bundle: str) -> Problem:
    message = f"is the bundle, and the file of an anchor called {stem(bundle)} would replace it"
    return Problem("conflict", bundle, message, "give the anchor another name")


def _changed(data: bytes, bundle: Source, gone: set[str], request: Request) -> bytes:
    """The bundle without what has to go, and with the anchors that it does not hold."""
    held = {each.sha256 for each in bundle.certificates}
    text = b"".join(part for part in parts_of(data) if not gone.intersection(_digests(part)))
    if text and not text.endswith(b"\n"):
        text += b"\n"
    added = (anchor.certificate for anchor in request.anchors)
    return text + b"".join(encode(each.der) for each in added if each.sha256 not in held)


def parts_of(data: bytes) -> Iterator[bytes]:
    """``data`` cut into its PEM blocks and the text between them; joined, they are ``data`` again."""
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


def _tell(
    bundle: Source, found: dict[str, Source], folder: LocalFolder, gone: set[str], request: Request, answer: StorePlan
) -> None:
    answer.removed[:] = {anchor.certificate.sha256: anchor for anchor in answer.removed}.values()
    answer.installed += folder.installed or request.anchors
    held = {each.sha256 for source in (bundle, *found.values()) for each in source.certificates}
    for anchor in request.anchors:
        if not folder.installed and anchor.certificate.sha256 in held:
            answer.warnings.append(Problem("already-installed", anchor.where, f"is in {bundle.path} already"))
    kept = tuple(each for each in bundle.certificates if each.sha256 not in gone)
    added = tuple(anchor.certificate for anchor in request.anchors)
    answer.warnings += missing_issuers(request.anchors, [Source("", b"", (*kept, *added)), *folder.sources.values()])
