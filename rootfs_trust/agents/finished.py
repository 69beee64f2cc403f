"""The rootfs as it will be: what stands there now, and over it what a run is about to write. Read only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rootfs_trust.rootfs.nodes import Absent, Directory, File, Node, Symlink, View, join, parent

_HASH_LINK = re.compile(r"[0-9a-f]{8}\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Finished:
    """``view`` with ``desired`` laid over it, as far as the checks of settings need it."""

    view: View
    desired: Mapping[str, File | Symlink | Directory | Absent]

    def kind(self, path: str) -> type[Node] | None:
        """The type of what will stand at ``path``, links followed."""
        for place in (path, self.view.real_path(path)):
            planned = None if place is None else self._planned(place)
            if planned is not None:
                return planned
        return self.view.kind(path)

    def has_hash_links(self, folder: str) -> bool:
        """Whether OpenSSL's directory lookup will find anything in ``folder``."""
        return any(_HASH_LINK.fullmatch(name) and self.kind(join(folder, name)) is File for name in self._names(folder))

    def _planned(self, path: str) -> type[Node] | None:
        node = self.desired.get(path)
        if isinstance(node, File | Directory):
            return type(node)
        if isinstance(node, Symlink):
            end = node.points_to if node.points_to.startswith("/") else join(parent(path), node.points_to)
            return self.kind(end)
        return Directory if any(each.startswith(f"{path}/") for each in self.desired) else None

    def _names(self, folder: str) -> set[str]:
        real = self.view.real_path(folder) or folder
        planned = {
            path.rpartition("/")[2]
            for path, node in self.desired.items()
            if not isinstance(node, Absent) and (self.view.real_path(parent(path)) or parent(path)) == real
        }
        gone = {
            path.rpartition("/")[2]
            for path, node in self.desired.items()
            if isinstance(node, Absent) and parent(path) == folder
        }
        return (set(self.view.names(folder)) - gone) | planned
