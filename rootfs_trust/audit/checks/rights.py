"""Who may read the store on the device, and who may write it."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.agents.checks import closed_place
from rootfs_trust.agents.finished import Finished
from rootfs_trust.agents.readers import Reader
from rootfs_trust.audit.files import CertificateFile
from rootfs_trust.audit.findings import ERROR, WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.rootfs.nodes import Directory, Owner, parent

UNREADABLE = Kind(
    "store-unreadable",
    (ERROR,),
    "Only some users may read the trust store",
    "Services run as users of their own: whoever may not read the store trusts nobody, or, with one file closed, fails "
    "or goes on without it, each program in its own way.",
    "chmod a+rX it: CA certificates are no secret",
)
WRITABLE = Kind(
    "store-writable",
    (ERROR,),
    "Everybody may write to the trust store",
    "Any program on the device can make all others trust a CA of its own.",
    "chmod go-w it",
)
OWNER = Kind(
    "store-owner",
    (WARNING,),
    "A part of the trust store belongs to a user who is not root",
    "This user can change what every program trusts. Often it is the build host's, whose number is somebody else's on "
    "the device.",
    "chown root:root it, or build the tree under fakeroot or pseudo",
)
KINDS = (UNREADABLE, WRITABLE, OWNER)

_ANYBODY = Reader("anybody")
_OTHERS_WRITE, _STICKY = 0o002, 0o1000
_ROOT = 0


def check(inspection: Inspection) -> Iterator[Finding]:
    """Every file and folder from which clients, or the distribution's tool, take the store."""
    owner = _owner_of_tree(inspection)
    files = {file.path: file for file in (*inspection.read_by_clients, *_java(inspection))}
    folders = {parent(path): None for path in files} | {each.path: None for each in inspection.directories}
    yield from _readable(inspection, list(files.values()), list(folders))
    files |= {file.path: file for file in inspection.sources}
    for file in files.values():
        yield from _written(file.path, file.owner, file.mode, owner)
    for folder in dict.fromkeys((*folders, *(parent(file.path) for file in inspection.sources))):
        node = inspection.view.node(folder, follow=True)
        if isinstance(node, Directory):
            mode = 0 if node.mode & _STICKY else node.mode
            yield from _written(folder, node.owner, mode, owner)


def _java(inspection: Inspection) -> Iterator[CertificateFile]:
    files = (inspection.trust.files.at(store.path) for store in inspection.java_stores)
    yield from (file for file in files if file)


def _readable(inspection: Inspection, files: list[CertificateFile], folders: list[str]) -> Iterator[Finding]:
    """Each place once: a closed folder, not every file in it."""
    finished = Finished(inspection.view, {})
    closed = [place for folder in folders if (place := closed_place(folder, finished, _ANYBODY))]
    for place in dict.fromkeys(closed):
        yield UNREADABLE.found(place, "only its owner or group may read it")
    for file in files:
        if not file.mode & 0o004:
            yield UNREADABLE.found(file.path, "only its owner or group may read it")


def _written(path: str, owner: Owner | None, mode: int, owner_of_tree: int) -> Iterator[Finding]:
    if mode & _OTHERS_WRITE:
        yield WRITABLE.found(path, f"everybody may write to it (mode {mode:04o})")
    if owner is not None and owner.uid not in (_ROOT, owner_of_tree):
        yield OWNER.found(path, f"belongs to the user of number {owner.uid}")


def _owner_of_tree(inspection: Inspection) -> int:
    """A tree that was unpacked by a plain user has his number everywhere, and gets its owners with the image."""
    node = inspection.view.node("/")
    return node.owner.uid if isinstance(node, Directory) and node.owner else _ROOT
