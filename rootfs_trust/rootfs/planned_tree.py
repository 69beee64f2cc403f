"""The rootfs as it will be after a run: the existing tree with the planned changes. Read only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.plan import real_directory
from rootfs_trust.rootfs.resolve import resolve, way
from rootfs_trust.rootfs.view import (
    DIRECTORY_MODE,
    Absent,
    Desired,
    Directory,
    File,
    Node,
    Owner,
    Symlink,
    View,
    as_bytes,
    join,
    parent,
    read,
)


class PlannedTree:
    """The tree of ``device`` with ``desired`` applied. Implements :class:`~rootfs_trust.rootfs.view.View`."""

    def __init__(self, device: Device, desired: Desired) -> None:
        self._view = view = device.view
        self.device = device
        self.user = device.user
        self._planned = {_place(view, path): node for path, node in desired.items()}
        self._directories: set[str] = set()
        self._added: dict[str, set[str]] = {}
        self._removed: dict[str, set[str]] = {}
        self._real_paths: dict[str, str | None] = {}
        for path, node in self._planned.items():
            names = self._removed if isinstance(node, Absent) else self._added
            names.setdefault(parent(path), set()).add(path.rpartition("/")[2])
            if not isinstance(node, Absent):
                self._directories.update(_ancestors(path))

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`."""
        place = self._resolved(path, follow=follow)
        planned = None if place is None else self._planned.get(place)
        if place is None or isinstance(planned, Absent):
            return None
        if planned is not None:
            return planned
        return Directory() if place in self._directories else self._view.node(place)

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        place = self._resolved(path, follow=follow)
        return None if place is None else self._kind(place)

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        real = self.real_path(path)
        return [] if real is None else sorted(self._names(real), key=as_bytes)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        return self._view.extended_attributes(path)

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`."""
        return self._view.mounted(path)

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`. None for files that the run writes."""
        place = self._resolved(path, follow=True)
        return None if place is None or place in self._planned else self._view.modified(place)

    @property
    def environment(self) -> Mapping[str, str]:
        """Implements :meth:`View.environment`."""
        return self._view.environment

    def _resolved(self, path: str, *, follow: bool) -> str | None:
        if follow or path == "/":
            return self.real_path(path)
        folder = self.real_path(parent(path))
        return None if folder is None else join(folder, path.rpartition("/")[2])

    def others(self, folder: str) -> Iterator[str]:
        """Yield the paths in ``folder`` (a real path) that the run does not write. A link to a written file counts as
        written.
        """
        for name in self._view.names(folder):
            path = join(folder, name)
            if path not in self._planned and self.real_path(path) not in self._planned:
                yield path

    def read(self, path: str) -> bytes | None:
        """Return the content of a regular file that the run does not write; see
        :func:`~rootfs_trust.rootfs.view.read`.
        """
        return read(self._view, path)

    def way(self, path: str) -> list[str]:
        """Return the real paths of the root, each directory and the end of ``path``; empty if it does not exist."""
        return way(path, self._entry_at)

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        if path not in self._real_paths:
            self._real_paths[path] = resolve(path, self._entry_at)
        return self._real_paths[path]

    def rights(self, place: str) -> tuple[Owner, int]:
        """Return owner and mode of a file or directory, by its real path. Replaced files keep owner and mode."""
        for node in (self._view.node(place), self._planned.get(place)):
            if isinstance(node, File | Directory):
                return node.owner or Owner(0, 0), node.mode
        return Owner(0, 0), DIRECTORY_MODE

    def _names(self, folder: str) -> set[str]:
        there = self._added.get(folder, set()).union(self._view.names(folder))
        return there - self._removed.get(folder, set())

    def _entry_at(self, place: str) -> Symlink | type[Node] | None:
        """Return the entry at ``place``, whose parent directory has no links."""
        kind = self._kind(place)
        if kind is not Symlink:
            return kind
        node = self._planned.get(place) or self._view.node(place)
        return node if isinstance(node, Symlink) else None

    def _kind(self, place: str) -> type[Node] | None:
        """Return the type of the entry at ``place``, whose parent directory has no links. A final link is not
        followed.
        """
        planned = self._planned.get(place)
        if planned is not None:
            return None if isinstance(planned, Absent) else type(planned)
        return Directory if place in self._directories else self._view.kind(place, follow=False)


def _place(view: View, path: str) -> str:
    """Return ``path`` with the links in its existing parent directories resolved."""
    return path if path == "/" else join(real_directory(view, parent(path)), path.rpartition("/")[2])


def _ancestors(path: str) -> set[str]:
    return {path[:end] or "/" for end, char in enumerate(path) if char == "/"}
