"""The rootfs as it will be: what stands there now, and over it what a run is about to write. Read only."""

from __future__ import annotations

import re

from rootfs_trust.rootfs.nodes import Absent, Desired, Directory, File, Node, Symlink, View, join, parent

_HASH_LINK = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_MAX_LINKS = 40  # as in Linux (fs/namei.c, MAXSYMLINKS)


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
        real = self._real_path(path)
        return None if real is None else self._kind(real)

    def has_hash_links(self, folder: str) -> bool:
        """Whether OpenSSL's directory lookup will find anything in ``folder``."""
        real = self._real_path(folder)
        return real is not None and any(
            _HASH_LINK.fullmatch(name) and self.kind(join(real, name)) is File for name in self._names(real)
        )

    def _names(self, folder: str) -> set[str]:
        planned = {path.rpartition("/")[2] for path in self._planned if parent(path) == folder}
        return planned.union(self._view.names(folder))

    def _real_path(self, path: str) -> str | None:
        here, links = "/", 0
        pending = _steps(path)
        while pending:
            name = pending.pop()
            place = parent(here) if name == ".." else join(here, name)
            kind = self._kind(place)
            if kind is Symlink and (links := links + 1) <= _MAX_LINKS:
                text = self._text_of_link(place)
                here = "/" if text.startswith("/") else here
                pending += _steps(text)
            elif kind is Directory or (kind not in (None, Symlink) and not pending):
                here = place
            else:
                return None
        return here

    def _kind(self, place: str) -> type[Node] | None:
        """The type of what will stand at ``place``, whose folder is free of links; a link is not followed."""
        planned = self._planned.get(place)
        if planned is not None:
            return None if isinstance(planned, Absent) else type(planned)
        return Directory if place in self._folders else self._view.kind(place, follow=False)

    def _text_of_link(self, place: str) -> str:
        node = self._planned.get(place) or self._view.node(place)
        return node.points_to if isinstance(node, Symlink) else ""


def _place(view: View, path: str) -> str:
    """``path`` with the links on the way to it followed, as far as its folders are there."""
    if path == "/":
        return path
    folder = parent(path)
    return join(view.real_path(folder) or _place(view, folder), path.rpartition("/")[2])


def _ancestors(path: str) -> set[str]:
    return {path[:end] or "/" for end, char in enumerate(path) if char == "/"}


def _steps(path: str) -> list[str]:
    """The parts of a path, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
