"""The rootfs as it will be: what stands there now, and over it what a run is about to write. Read only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rootfs_trust.agents.readers import Reader, reader
from rootfs_trust.rootfs.nodes import (
    DIRECTORY_MODE,
    Absent,
    Desired,
    Directory,
    File,
    Node,
    Owner,
    Symlink,
    View,
    join,
    parent,
    read,
)
from rootfs_trust.rootfs.resolve import resolve, way

_HASH_LINK = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class Finished:
    """``view`` with ``desired`` laid over it, as far as the checks of settings need it."""

    def __init__(self, view: View, desired: Desired) -> None:
        self._view = view
        self._planned = {_place(view, path): node for path, node in desired.items()}
        self._folders: set[str] = set()
        for path, node in self._planned.items():
            if not isinstance(node, Absent):
                self._folders.update(_ancestors(path))

    def kind(self, path: str) -> type[Node] | None:
        """The type of what will stand at ``path``, links followed."""
        real = self.real_path(path)
        return None if real is None else self._kind(real)

    def has_hash_links(self, folder: str) -> bool:
        """Whether OpenSSL's directory lookup will find anything in ``folder``."""
        real = self.real_path(folder)
        return real is not None and any(
            _HASH_LINK.fullmatch(name) and self.kind(join(real, name)) is File for name in self._names(real)
        )

    def others(self, folder: str) -> Iterator[str]:
        """What stands in ``folder``, a real path, and is not from the run; a link to what is from it counts as such."""
        for name in self._view.names(folder):
            path = join(folder, name)
            if path not in self._planned and self.real_path(path) not in self._planned:
                yield path

    def read(self, path: str) -> bytes | None:
        """The content of a regular file of others; see :func:`~rootfs_trust.rootfs.nodes.read`."""
        return read(self._view, path)

    def reader(self, name: str) -> Reader:
        """The user ``name`` of the rootfs."""
        return reader(self._view, name)

    def way(self, path: str) -> list[str]:
        """The real paths that are passed on the way to ``path``, the root and its end included; empty without one."""
        return way(path, self._look)

    def real_path(self, path: str) -> str | None:
        """The path free of links of what will stand at ``path``."""
        return resolve(path, self._look)

    def rights(self, place: str) -> tuple[Owner, int]:
        """Owner and mode of a file or folder, by its real path: what is replaced keeps its own."""
        for node in (self._view.node(place), self._planned.get(place)):
            if isinstance(node, File | Directory):
                return node.owner or Owner(0, 0), node.mode
        return Owner(0, 0), DIRECTORY_MODE

    def _names(self, folder: str) -> set[str]:
        planned = {path.rpartition("/")[2] for path in self._planned if parent(path) == folder}
        return planned.union(self._view.names(folder))

    def _look(self, place: str) -> Symlink | type[Node] | None:
        """What will stand at ``place``, whose folder is free of links."""
        kind = self._kind(place)
        if kind is not Symlink:
            return kind
        node = self._planned.get(place) or self._view.node(place)
        return node if isinstance(node, Symlink) else None

    def _kind(self, place: str) -> type[Node] | None:
        """The type of what will stand at ``place``, whose folder is free of links; a link is not followed."""
        planned = self._planned.get(place)
        if planned is not None:
            return None if isinstance(planned, Absent) else type(planned)
        return Directory if place in self._folders else self._view.kind(place, follow=False)


def _place(view: View, path: str) -> str:
    """``path`` with the links on the way to it followed, as far as its folders are there."""
    if path == "/":
        return path
    folder = parent(path)
    return join(view.real_path(folder) or _place(view, folder), path.rpartition("/")[2])


def _ancestors(path: str) -> set[str]:
    return {path[:end] or "/" for end, char in enumerate(path) if char == "/"}
