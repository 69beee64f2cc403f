"""Converts a file system image to a tar stream with changes applied, for the packing programs. Does no I/O itself."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Callable, Iterator

from rootfs_trust.errors import IMAGE, DamagedImageError, InputError, MalformedError
from rootfs_trust.image.damage import broken
from rootfs_trust.image.file_types import TAR_TYPES
from rootfs_trust.image.filesystems.inodes import Inode
from rootfs_trust.image.filesystems.view import FilesystemView
from rootfs_trust.image.layer_entries import ImageChanges, NewEntry, header, packed_entry
from rootfs_trust.image.tar_stream import XATTR
from rootfs_trust.rootfs.view import Directory, Symlink, as_text

Pieces = Callable[[int], Iterator[bytes]]
"""A function that yields the content of the regular file with this inode number, in pieces."""


def tar_stream(view: FilesystemView, pieces: Pieces, changes: ImageChanges) -> Iterator[bytes]:
    """Yield every entry, the root first, with ``changes`` applied. ``pieces`` reads the content of a file.

    Raises InputError for an entry that a tar archive cannot contain.
    """
    names: dict[int, str] = {}
    left = dict(changes.entries)
    for place, inode in view.walk():
        if place in changes.gone:
            continue
        if place in left:
            yield packed_entry(place[1:], left.pop(place))
        elif place in changes.directories:
            yield packed_entry(place[1:], changes.directories[place])
        else:
            yield from _entry(view, pieces, place, inode, names)
    # Write each directory directly before its new entries: only then does GNU tar set its time after creating links in
    # it.
    new = {**changes.directories, **left}
    for place in sorted(new, key=lambda each: each.split("/")):
        yield packed_entry(place[1:], new[place])
    # Again, because unpacking into a directory changes its time.
    for place, entry in {**changes.directories, **_directories(changes)}.items():
        yield packed_entry(place[1:], entry)
    yield header(_info(view, "/", view.root))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _directories(changes: ImageChanges) -> dict[str, NewEntry]:
    return {place: entry for place, entry in changes.entries.items() if isinstance(entry.node, Directory)}


def _entry(
    view: FilesystemView,
    pieces: Pieces,
    place: str,
    inode: Inode,
    names: dict[int, str],
) -> Iterator[bytes]:
    info = _info(view, place, inode)
    if inode.links > 1 and inode.kind is not Directory:
        first = names.setdefault(inode.number, place)
        if first != place:
            info.type, info.linkname, info.pax_headers = tarfile.LNKTYPE, first[1:], {}
    if info.type == tarfile.REGTYPE:
        info.size = inode.size
    yield header(info)
    if info.type == tarfile.REGTYPE:
        yield from _content(view, pieces(inode.number))


def _info(view: FilesystemView, place: str, inode: Inode) -> tarfile.TarInfo:
    info = tarfile.TarInfo(place[1:] or "./")
    type_ = TAR_TYPES.get(stat.S_IFMT(inode.mode))
    if type_ is None:
        hint = "delete it before building the image; programs create their sockets when they start"
        raise InputError(IMAGE(view.path, f"has a socket at {place}, which cannot be kept", hint))
    info.type, info.mode, info.mtime = type_, stat.S_IMODE(inode.mode), inode.mtime
    info.uid, info.gid = inode.owner
    info.devmajor, info.devminor = inode.device if type_ in (tarfile.CHRTYPE, tarfile.BLKTYPE) else (0, 0)
    attributes = sorted(view.attributes(inode).items())
    info.pax_headers = {f"{XATTR}{key}": as_text(value) for key, value in attributes}
    node = view.node(place) if inode.kind is Symlink else None
    info.linkname = node.points_to if isinstance(node, Symlink) else ""
    return info


def _content(view: FilesystemView, pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            yield piece
    except MalformedError as error:
        message = f"is not a well-formed {view.filesystem.name} image: it {error.message}"
        raise DamagedImageError(*broken(view.path, message).problems) from error
    yield bytes(-size % tarfile.BLOCKSIZE)
