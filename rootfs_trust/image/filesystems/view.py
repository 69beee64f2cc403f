"""A file system image as a view, with the interface of any other root filesystem. Data is read on demand."""

from __future__ import annotations

import functools
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from rootfs_trust.errors import DamagedImageError, MalformedError
from rootfs_trust.image.damage import broken
from rootfs_trust.image.filesystems.inodes import Child, Filesystem, Inode
from rootfs_trust.image.tar_stream import MAX_DEPTH, MAX_MEMBERS
from rootfs_trust.rootfs.resolve import way
from rootfs_trust.rootfs.root_directory import MAX_FILE, too_large
from rootfs_trust.rootfs.view import (
    NO_ENVIRONMENT,
    Directory,
    File,
    Node,
    Owner,
    Special,
    Symlink,
    as_bytes,
    as_text,
    join,
)

MAX_CONTENT = 16 * 1024 * 1024 * 1024
"""Maximum total size in bytes of the files that are read, because a small image can contain many large files of zeros.
"""

_SPECIAL = {stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}


@dataclass(frozen=True, slots=True)
class EntryStatus:
    """The attributes of an entry that are kept when it is changed."""

    kind: type[Node]
    mode: int
    owner: Owner
    mtime: int
    attributes: Mapping[str, bytes]


class FilesystemView:
    """The tree of ``filesystem``, which is in the image ``path``. Implements View.

    A directory with two names, which no program creates, is refused, so that no walk is endless. Raises
    DamagedImageError if the image is not well-formed.
    """

    environment = NO_ENVIRONMENT

    def __init__(self, path: str, filesystem: Filesystem) -> None:
        self.path = path
        self.filesystem = filesystem
        self._directories: dict[int, str] = {}
        self._names = 0
        self._content = 0
        self._listed: dict[str, dict[str, Child]] = {}
        """The entries of directories, by real path."""
        self._inode = functools.cache(self._read_inode)
        self._resolved = functools.lru_cache(maxsize=4096)(self._resolve)

    # -- View --------------------------------------------------------------------------------------------

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`. Raises InputError for a file that is too large."""
        place = self._place(path, follow=follow)
        child = self._child(place) if place is not None else None
        if child is None:
            return None
        inode = self._inode(child.number)
        if inode.kind is File:
            return File(self._file(path, inode), inode.owner, stat.S_IMODE(inode.mode))
        if inode.kind is Directory:
            return Directory(inode.owner, stat.S_IMODE(inode.mode))
        return Symlink(self._link(inode)) if inode.kind is Symlink else Special(_SPECIAL[stat.S_IFMT(inode.mode)])

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        place = self._place(path, follow=follow)
        child = self._child(place) if place is not None else None
        return self._kind(child) if child is not None else None

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        place = self.real_path(path)
        return sorted(self._entries(place), key=as_bytes) if place is not None else []

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        return self._place(path, follow=True)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        entry = self.entry(path, follow=False)
        return entry.attributes if entry else {}

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`. Nothing is mounted in an image."""
        return False

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        inode = self.inode(path)
        return inode.mtime if inode else None

    # -- more, for writing -------------------------------------------------------------------------------

    @property
    def owner(self) -> Owner:
        """The owner of the root directory."""
        return self.root.owner

    @property
    def root(self) -> Inode:
        """The inode of the root directory."""
        return self._inode(self.filesystem.root)

    @property
    def newest(self) -> int:
        """The latest modification time of all entries, in seconds since 1970."""
        return max(inode.mtime for _, inode in self.walk())

    def entry(self, path: str, *, follow: bool = True) -> EntryStatus | None:
        """Return the entry at ``path``, without its content."""
        inode = self.inode(path, follow=follow)
        if inode is None:
            return None
        mode = stat.S_IMODE(inode.mode)
        return EntryStatus(inode.kind, mode, inode.owner, inode.mtime, self.attributes(inode))

    def inode(self, path: str, *, follow: bool = True) -> Inode | None:
        """Return the inode at ``path``."""
        place = self._place(path, follow=follow)
        child = self._child(place) if place is not None else None
        return self._inode(child.number) if child is not None else None

    def attributes(self, inode: Inode) -> Mapping[str, bytes]:
        """Return the extended attributes of an inode."""
        try:
            return self.filesystem.attributes(inode.number)
        except MalformedError as error:
            self._refuse(error)

    def walk(self) -> Iterator[tuple[str, Inode]]:
        """Yield every path and its inode: the root first, directories before their entries, in byte order."""
        pending = ["/"]
        while pending:
            path = pending.pop()
            child = self._child(path)
            if child is None:
                continue
            inode = self._inode(child.number)
            yield path, inode
            if inode.kind is Directory:
                names = sorted(self._entries(path), key=as_bytes, reverse=True)
                pending += [join(path, name) for name in names]

    # -- reading -----------------------------------------------------------------------------------------

    def _place(self, path: str, *, follow: bool) -> str | None:
        """Return the path without links. A final link is followed only with ``follow``."""
        folder, _, name = path.rpartition("/")
        if follow or name in ("", ".", ".."):
            return self._resolved(path)
        real = self._resolved(folder or "/")
        return None if real is None else join(real, name)

    def _resolve(self, path: str) -> str | None:
        return next(reversed(way(path, self._step)), None)

    def _step(self, place: str) -> Symlink | type[Node] | None:
        child = self._child(place)
        if child is None:
            return None
        kind = self._kind(child)
        return Symlink(self._link(self._inode(child.number))) if kind is Symlink else kind

    def _child(self, place: str) -> Child | None:
        """Return the entry at a path without links."""
        if place == "/":
            return Child(self.filesystem.root, Directory)
        folder, _, name = place.rpartition("/")
        children = self._listed.get(folder or "/")
        if children is None:
            children = self._entries(folder or "/")
        return children.get(name)

    def _kind(self, child: Child) -> type[Node]:
        return child.kind or self._inode(child.number).kind

    def _entries(self, place: str) -> dict[str, Child]:
        """Return the entries of the directory at a path without links; none if it is not a directory."""
        if place not in self._listed:
            child = self._child(place)
            is_directory = child is not None and self._kind(child) is Directory
            self._listed[place] = self._list(place, child.number) if child is not None and is_directory else {}
        return self._listed[place]

    def _list(self, place: str, number: int) -> dict[str, Child]:
        known = self._directories.setdefault(number, place)
        if known != place:
            self._refuse(MalformedError(f"has a directory with two names, {known!r} and {place!r}"))
        if place.count("/") > MAX_DEPTH:
            self._refuse(MalformedError(f"has directories more than {MAX_DEPTH} deep"))
        if self._inode(number).kind is not Directory:
            self._refuse(
                MalformedError(f"has a directory entry for a directory, but inode {number} is not a directory")
            )
        try:
            children = self.filesystem.children(number)
        except MalformedError as error:
            self._refuse(error)
        self._names += len(children)
        if self._names > MAX_MEMBERS:
            self._refuse(MalformedError(f"has more than {MAX_MEMBERS} directory entries"))
        return children

    def _read_inode(self, number: int) -> Inode:
        try:
            return self.filesystem.inode(number)
        except MalformedError as error:
            self._refuse(error)

    def _link(self, inode: Inode) -> str:
        return as_text(self._read(inode))

    def _file(self, path: str, inode: Inode) -> bytes:
        if inode.size > MAX_FILE:
            raise too_large(path, MAX_FILE)
        return self._read(inode)

    def _read(self, inode: Inode) -> bytes:
        self._content += inode.size
        if self._content > MAX_CONTENT:
            self._refuse(MalformedError(f"has more than {MAX_CONTENT >> 30} GiB in the files of its trust stores"))
        try:
            return self.filesystem.content(inode.number)
        except MalformedError as error:
            self._refuse(error)

    def _refuse(self, error: MalformedError) -> NoReturn:
        message = f"is not a well-formed {self.filesystem.name} image: it {error.message}"
        raise DamagedImageError(*broken(self.path, message).problems) from error
