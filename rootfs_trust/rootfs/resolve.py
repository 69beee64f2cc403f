"""Resolve paths in a tree in memory, one component at a time, as the device would."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rootfs_trust.rootfs.view import Directory, Node, Symlink, join, parent

MAX_LINKS = 40
"""Maximum number of links in one path, as in Linux (fs/namei.c, MAXSYMLINKS)."""

Look: TypeAlias = Callable[[str], "Symlink | type[Node] | None"]
"""A function that returns the entry at a path whose parent has no links: a link itself, the type of any other entry, or
None if there is no entry.
"""


def resolve(path: str, look: Look) -> str | None:
    """Return the real path of ``path``, following every link, or None if it does not exist."""
    return next(reversed(way(path, look)), None)


def way(path: str, look: Look) -> list[str]:
    """Return the real paths of the root, each directory and the end of ``path``; empty if it does not exist.

    As after chroot(2), an absolute link starts at the root, and ``..`` at the root stays there.
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
    """Return the components of a path, the last one first. A trailing slash counts as a component ``.``."""
    parts = [part for part in reversed(path.split("/")) if part]
    return [".", *parts] if path.endswith("/") else parts
