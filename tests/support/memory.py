"""A tree in memory that can be looked at like one on disk, so that most tests need no disk."""

from __future__ import annotations

from collections.abc import Mapping

from rootfs_trust.rootfs.view import NO_ENVIRONMENT, Directory, File, Node, Special, Symlink, as_bytes, join, parent


class MemoryTree:
    """Implements View over a dictionary; directories on the way to an entry are there by themselves."""

    def __init__(self, entries: Mapping[str, Node] = {}, environment: Mapping[str, str] = NO_ENVIRONMENT) -> None:
        self.environment = environment
        self.entries = dict(entries)
        for path in list(self.entries):
            while (path := parent(path)) != "/":
                self.entries.setdefault(path, Directory())

    def real_path(self, path: str) -> str | None:
        here, links = "/", 0
        pending = [part for part in reversed(path.split("/")) if part]
        while pending:
            name = pending.pop()
            if name in (".", ".."):
                here = here if name == "." else parent(here)
                continue
            there = join(here, name)
            node = self.entries.get(there)
            if isinstance(node, Symlink):
                links += 1
                if links > 40:
                    return None
                here = "/" if node.points_to.startswith("/") else here
                pending += [part for part in reversed(node.points_to.split("/")) if part]
            elif node is None or (pending and not isinstance(node, Directory)):
                return None
            else:
                here = there
        return here

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        directory = self.real_path(parent(path))
        if directory is None:
            return None
        place = join(directory, path.rpartition("/")[2]) if path != "/" else "/"
        node = self.entries.get(place) if place != "/" else Directory()
        if follow and isinstance(node, Symlink):
            real = self.real_path(place)
            return None if real is None else self.entries.get(real, Directory())
        return node

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        node = self.node(path, follow=follow)
        return None if node is None else type(node)

    def names(self, path: str) -> list[str]:
        real = self.real_path(path)
        return sorted(
            (each.rpartition("/")[2] for each in self.entries if real is not None and parent(each) == real),
            key=as_bytes,
        )

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        return {}

    def mounted(self, path: str) -> bool:
        return False

    def modified(self, path: str) -> int | None:
        return None if self.real_path(path) is None else 0


__all__ = ["Directory", "File", "MemoryTree", "Special", "Symlink"]
