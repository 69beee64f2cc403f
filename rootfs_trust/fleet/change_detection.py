"""Cheap change detection: a digest of the metadata of everything that a decision read.

Contents are not read. As in git's index, an entry counts as unchanged if its inode, type, owner, size and both
times are the same. The kernel sets the change time (ctime), and no program can set it back. A copy of a tree has new
times, so it counts as changed.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from rootfs_trust.rootfs.pass_through import PassThroughView
from rootfs_trust.rootfs.resolve import MAX_LINKS
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Node, Symlink, View, as_bytes, join, parent

_MANY = 8
"""From this number of entries on, a whole directory is recorded instead of its entries, to keep fewer lines."""


class StampedPlace(NamedTuple):
    """A place that was read: a whole ``folder``, one ``entry``, or the ``end`` of a chain of links."""

    kind: str
    path: str


class WatchedTree(PassThroughView):
    """The tree ``view``. Records what is read from it."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._entries: set[str] = set()
        self._ends: set[str] = set()
        self._directories: set[str] = set()

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`."""
        (self._ends if follow else self._entries).add(path)
        return self._view.node(path, follow=follow)

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        (self._ends if follow else self._entries).add(path)
        return self._view.kind(path, follow=follow)

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        self._directories.add(path)
        return self._view.names(path)

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        self._ends.add(path)
        return self._view.real_path(path)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        self._entries.add(path)
        return self._view.extended_attributes(path)

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`. A mount is noticed, because its metadata differs from that of the hidden
        entry.
        """
        self._entries.add(path)
        return self._view.mounted(path)

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        self._ends.add(path)
        return self._view.modified(path)

    def places(self, also: Iterable[str] = ()) -> tuple[StampedPlace, ...]:
        """Return a sorted list of places, as short as possible, whose stamps show every change of what was read and of
        ``also``.
        """
        entries = self._entries.union(also)
        crowded = Counter(map(parent, entries | self._ends))
        folders = self._directories | {folder for folder, count in crowded.items() if count >= _MANY}
        left = {StampedPlace("entry", path) for path in entries if parent(path) not in folders}
        left |= {StampedPlace("end", path) for path in self._ends if not self._covered_by(folders, path)}
        return tuple(sorted({StampedPlace("folder", folder) for folder in folders} | left))

    def _covered_by(self, folders: set[str], end: str) -> bool:
        """Return whether the stamps of ``folders`` show every change at ``end``: each link on its path is in one of
        them.
        """
        path: str | None = end
        for _ in range(MAX_LINKS):
            if path is None or parent(path) not in folders:
                return False
            if self._view.kind(path, follow=False) is not Symlink:
                return True
            path = self._next(path)
        return False

    def _next(self, path: str) -> str | None:
        """Return the target of the link at ``path`` as an absolute path, or None if only resolving more links would
        show it.
        """
        node, folder = self._view.node(path), parent(path)
        text = node.points_to if isinstance(node, Symlink) else ""
        if text.startswith("/"):
            return text
        if self._view.real_path(folder) != folder:
            return None
        while text.startswith("../"):
            folder, text = parent(folder), text[3:]
        return None if ".." in text.split("/") else join(folder, text)


def stamp(root: RootDirectory, places: Iterable[StampedPlace]) -> str:
    """Return the SHA-256 of the metadata of ``places``. Raises InputError for an unreadable directory."""
    digest = sha256(usedforsecurity=False)
    for place in places:
        state = _directory(root, place.path) if place.kind == "folder" else _entry(root, place)
        digest.update(repr((place.kind, place.path, state)).encode())
    return digest.hexdigest()


def _directory(root: RootDirectory, path: str) -> object:
    fd = root.open_directory(path)
    if fd is None:
        return None
    listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
    try:
        with os.scandir(listing) as entries:
            states = sorted((each.name, state_of(each.stat(follow_symlinks=False))) for each in entries)
    finally:
        os.close(listing)
    return root.real_path(path), states


def _entry(root: RootDirectory, place: StampedPlace) -> object:
    path = root.real_path(place.path) if place.kind == "end" else place.path
    found = None if path is None else root.place(path)
    if found is None:
        return None
    try:
        status = os.stat(found[1] or b".", dir_fd=found[0], follow_symlinks=False)
    except FileNotFoundError:
        return None
    real = path if place.kind == "end" else root.real_path(parent(place.path))
    return as_bytes(real or ""), state_of(status)


_DIRECTORY = attrgetter("st_mode", "st_ino", "st_dev")
_ENTRY = attrgetter("st_mode", "st_ino", "st_dev", "st_uid", "st_gid", "st_size", "st_mtime_ns", "st_ctime_ns")


def state_of(status: os.stat_result) -> tuple[int, ...]:
    """Return the metadata of an entry that shows a change. The entries of a directory are recorded separately."""
    return _DIRECTORY(status) if stat.S_ISDIR(status.st_mode) else _ENTRY(status)
