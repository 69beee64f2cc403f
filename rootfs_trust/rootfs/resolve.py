"""Resolves paths in a tree that is no folder on disk: one component at a time, links taken up as the device would."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rootfs_trust.rootfs.nodes import Directory, Node, Symlink, join, parent

MAX_LINKS = 40
"""As in Linux (fs/namei.c, MAXSYMLINKS)."""

Look: TypeAlias = Callable[[str], "Symlink | type[Node] | None"]
"""What stands at a path whose folder is free of links: a link itself, the type of anything else, or None."""


def resolve(path: str, look: Look) -> str | None:
    """The path free of links of what stands at ``path``, every link followed; None where nothing does."""
    return next(reversed(way(path, look)), None)


def way(path: str, look: Look) -> list[str]:
    """The places passed on the way to ``path``, free of links: the root, each folder, the end; empty without an end.

    As after chroot(2): an absolute link starts again at the root, ``..`` at the root stays there.
    """
    passed, links, pending = ["/"], 0, steps(path)
    while pending:
        name = pending.pop()
        if name == "..":
            passed.append(parent(passed[-1]))
        if name in (".", ".."):
            continue
        place = join(passed[-1], name)
        found = look(place)
        if isinstance(found, Symlink):
            links += 1
            if links > MAX_LINKS:
                return []
            passed += ["/"] if found.points_to.startswith("/") else []
            pending += steps(found.points_to)
        elif found is None or (pending and found is not Directory):
            return []
        else:
            passed.append(place)
    return passed


def steps(path: str) -> list[str]:
    """The parts of a path, the last one first. What ends in a slash is a folder, as if a dot came after it."""
    parts = [part for part in reversed(path.split("/")) if part]
    return [".", *parts] if path.endswith("/") else parts
