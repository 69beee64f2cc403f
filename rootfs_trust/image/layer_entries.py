"""Converts a plan to entries of a tar archive: written files, removed paths and their parent directories."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rootfs_trust.image.image_tree import real_place
from rootfs_trust.image.merged_tree import WHITEOUT
from rootfs_trust.image.tar_stream import XATTR
from rootfs_trust.rootfs.plan import SIGNATURES, Action, Link, MakeDirectory, Put, Remove
from rootfs_trust.rootfs.view import Directory, File, Node, Owner, Symlink, View, as_bytes, as_text, parent


class OldEntry(Protocol):
    """An entry of an image, without its content."""

    @property
    def kind(self) -> type[Node]:
        """The type of node."""

    @property
    def mode(self) -> int:
        """The permissions, without the type."""

    @property
    def owner(self) -> Owner:
        """Owner and group of the entry."""

    @property
    def mtime(self) -> int:
        """The modification time, in seconds since 1970."""

    @property
    def attributes(self) -> Mapping[str, bytes]:
        """The extended attributes."""


class ChangeableTree(View, Protocol):
    """The tree of an image that can be written."""

    @property
    def owner(self) -> Owner:
        """The owner of the root directory."""

    def entry(self, path: str, *, follow: bool = True) -> OldEntry | None:
        """Return the entry at ``path``."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A new entry: the node, and its attributes in the archive."""

    node: File | Symlink | Directory
    mode: int
    owner: Owner
    mtime: int
    attributes: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class ImageChanges:
    """Changes by real path: new entries in the order of the plan, removed paths, and parent directories of both."""

    entries: dict[str, NewEntry] = field(default_factory=dict)
    gone: dict[str, None] = field(default_factory=dict)
    directories: dict[str, NewEntry] = field(default_factory=dict)


def changes(tree: ChangeableTree, actions: Iterable[Action], time: int) -> ImageChanges:
    """Return the changes that ``actions`` make in the archive of ``tree``. ``time`` is their modification time.

    Replaced files keep owner, mode and attributes except signatures, as on a disk.
    """
    found = ImageChanges()
    for action in actions:
        place = real_place(tree, action.path)
        if isinstance(action, Remove):
            found.entries.pop(place, None)
            if tree.kind(place, follow=False) is not None:
                found.gone[place] = None
        else:
            found.entries[place] = _entry(tree, place, action, time)
    for place in [*found.entries, *found.gone]:
        _add_directories(found, tree, place, time)
    return found


def _entry(tree: ChangeableTree, place: str, action: MakeDirectory | Put | Link, time: int) -> NewEntry:
    node = action.node
    old = tree.entry(place, follow=False)
    if isinstance(node, Symlink):
        kept = old if old is not None and old.kind is Symlink else None
        return NewEntry(node, 0o777, kept.owner if kept else tree.owner, time, kept.attributes if kept else {})
    if old is not None and old.kind is File:
        attributes = {name: value for name, value in old.attributes.items() if name not in SIGNATURES}
        return NewEntry(node, old.mode, old.owner, time, attributes)
    return NewEntry(node, node.mode, node.owner or tree.owner, time)


def _add_directories(found: ImageChanges, tree: ChangeableTree, place: str, time: int) -> None:
    """Add the parent directories of ``place``. They stay unchanged, except that the innermost one gets the time of the
    changes.
    """
    folder = parent(place)
    changed = True
    while folder != "/":
        entry = tree.entry(folder, follow=False)
        if entry is not None and (changed or folder not in found.directories):
            found.directories[folder] = _same(entry, time if changed else entry.mtime)
        folder, changed = parent(folder), folder in found.entries


def _same(entry: OldEntry, time: int) -> NewEntry:
    return NewEntry(Directory(), entry.mode, entry.owner, time, entry.attributes)


# -- tar -------------------------------------------------------------------------------------------------


def layer(found: ImageChanges) -> bytes:
    """Return the layer with these changes: sorted, numeric owners, whiteouts before other entries of a directory."""
    entries = {**found.directories, **found.entries}
    names = [(_key(place), place) for place in entries]
    names += [(_key(_whiteout(place)), place) for place in found.gone]
    archive = []
    for _, place in sorted(names):
        if place in found.gone:
            archive.append(_whiteout_header(_whiteout(place), found, place))
        else:
            archive.append(packed_entry(place[1:], entries[place]))
    return b"".join([*archive, bytes(2 * tarfile.BLOCKSIZE)])


def _key(place: str) -> tuple[tuple[bool, bytes], ...]:
    """Sort key: parent directories first; in a directory whiteouts first, then by bytes."""
    return tuple((not part.startswith(WHITEOUT), as_bytes(part)) for part in place[1:].split("/"))


def _whiteout(place: str) -> str:
    folder, _, name = place.rpartition("/")
    return f"{folder}/{WHITEOUT}{name}"


def _whiteout_header(place: str, found: ImageChanges, gone: str) -> bytes:
    folder = found.directories.get(parent(gone))
    info = tarfile.TarInfo(place[1:])
    info.mode, info.mtime = 0, folder.mtime if folder else 0
    return header(info)


def packed_entry(name: str, entry: NewEntry, *, like: tarfile.TarInfo | None = None) -> bytes:
    """Return header, content and padding of one entry. ``like`` is the file that the entry replaces, if any."""
    info = tarfile.TarInfo(name)
    others: Mapping[str, str] = {}
    if like is not None:
        info.uname, info.gname = like.uname, like.gname
        others = foreign_headers(like, xattrs=False)
    info.mode, info.mtime = entry.mode, entry.mtime
    info.uid, info.gid = entry.owner
    attributes = {f"{XATTR}{key}": as_text(value) for key, value in sorted(entry.attributes.items())}
    info.pax_headers = {**others, **attributes}
    content = entry.node.content if isinstance(entry.node, File) else b""
    info.size = len(content)
    info.type = _TYPES[type(entry.node)]
    if isinstance(entry.node, Symlink):
        info.linkname = entry.node.points_to
    return header(info) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def foreign_headers(info: tarfile.TarInfo, *, xattrs: bool) -> dict[str, str]:
    """Return the extended headers to keep: neither times, nor those that follow from other fields. ``xattrs``: also
    attributes.
    """
    own = tarfile.PAX_FIELDS
    return {
        key: value
        for key, value in info.pax_headers.items()
        if key not in (*own, "atime", "ctime", "hdrcharset")
        and not key.startswith("GNU.sparse")
        and (xattrs or not key.startswith(XATTR))
    }


_TYPES: Mapping[type[Node], bytes] = {File: tarfile.REGTYPE, Symlink: tarfile.SYMTYPE, Directory: tarfile.DIRTYPE}


def header(info: tarfile.TarInfo) -> bytes:
    """Return the header blocks in the format of POSIX.1-2001."""
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
