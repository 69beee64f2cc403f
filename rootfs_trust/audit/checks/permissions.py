"""Findings about permissions: files of the trust store that users cannot read, or that others can write."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.files import CertificateFile
from rootfs_trust.audit.findings import ERROR, GUARDED, READABLE, WARNING, Finding, FindingType, chmod
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.rootfs.device import User
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Directory, Owner, parent
from rootfs_trust.thin_edge.settings_checks import first_unreadable_path

UNREADABLE = FindingType(
    "store-unreadable",
    (ERROR,),
    "Only some users can read the trust store",
    "Services run as separate users. A service that cannot read the store trusts no server. If only one file "
    "cannot be read, each program reacts differently.",
    "make it readable for all users: CA certificates are not secret",
)
WRITABLE = FindingType(
    "store-writable",
    (ERROR,),
    "Every user can write to the trust store",
    "Any program on the device can make all others trust another CA.",
    "remove the write permission of group and others",
)
OWNER = FindingType(
    "store-owner",
    (WARNING,),
    "A part of the trust store is owned by a user other than root",
    "This user can change what every program trusts. Often it is the uid of the build user, which belongs to a "
    "different user on the device.",
    "change the owner to root, or build the root filesystem under fakeroot or pseudo",
)
KINDS = (UNREADABLE, WRITABLE, OWNER)

_CLOSED = "only its owner or group can read it"
_ANYBODY = User("anybody")
_OTHERS_WRITE, _STICKY = 0o002, 0o1000
_ROOT = 0


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for every file and directory that clients or the distribution's tool read."""
    owner = _owner_of_tree(inspection)
    files = {file.path: file for file in (*inspection.read_by_clients, *_java(inspection))}
    folders = {parent(path): None for path in files} | {each.path: None for each in inspection.directories}
    read = files | ({file.path: file for file in inspection.sources} if inspection.uses_p11kit else {})
    yield from _readable(inspection, list(read.values()), list(folders))
    files |= {file.path: file for file in inspection.sources}
    for file in files.values():
        yield from _writable_by_others(file.path, file.owner, file.mode, owner)
    for folder in dict.fromkeys((*folders, *(parent(file.path) for file in inspection.sources))):
        node = inspection.view.node(folder, follow=True)
        if isinstance(node, Directory):
            mode = 0 if node.mode & _STICKY else node.mode
            yield from _writable_by_others(folder, node.owner, mode, owner)


def _java(inspection: Inspection) -> Iterator[CertificateFile]:
    files = (inspection.trust.files.at(store.path) for store in inspection.java_stores)
    yield from (file for file in files if file)


def _readable(inspection: Inspection, files: list[CertificateFile], folders: list[str]) -> Iterator[Finding]:
    """Yield each unreadable path once: an unreadable directory, but not the files in it."""
    finished = PlannedTree(inspection.device, {})
    closed = [place for folder in folders if (place := first_unreadable_path(folder, finished, _ANYBODY))]
    for place in dict.fromkeys(closed):
        yield UNREADABLE.found(place, _CLOSED, commands=(chmod(READABLE, place),))
    for file in files:
        if not file.mode & 0o004:
            yield UNREADABLE.found(file.path, _CLOSED, commands=(chmod(READABLE, file.path),))


def _writable_by_others(path: str, owner: Owner | None, mode: int, owner_of_tree: int) -> Iterator[Finding]:
    if mode & _OTHERS_WRITE:
        yield WRITABLE.found(path, f"every user can write to it (mode {mode:04o})", commands=(chmod(GUARDED, path),))
    if owner is not None and owner.uid not in (_ROOT, owner_of_tree):
        yield OWNER.found(path, f"is owned by uid {owner.uid}, not root")


def _owner_of_tree(inspection: Inspection) -> int:
    """Return the owner of the tree. A tree unpacked by an ordinary user belongs to that user until imaging."""
    node = inspection.view.node("/")
    return node.owner.uid if isinstance(node, Directory) and node.owner else _ROOT
