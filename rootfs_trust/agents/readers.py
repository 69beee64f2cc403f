"""The users of the rootfs as whom thin-edge.io and mosquitto read CA files, and what these may. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rootfs_trust.rootfs.nodes import Owner, View, read

READ, SEARCH = 4, 1
"""Bits of a mode's last digit: read a file or list a folder; pass through a folder."""

_ROOT = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """A user by name. Without ``uid`` (the package that makes it is not there yet) it is one of the others."""

    name: str
    uid: int | None = None
    groups: frozenset[int] = frozenset()

    def may(self, bits: int, owner: Owner, mode: int) -> bool:
        """Whether all of ``bits`` are granted, as path_resolution(7) has it: by the first class that fits."""
        if self.uid == _ROOT:
            return True
        if self.uid is not None and self.uid == owner.uid:
            mode >>= 6
        elif owner.gid in self.groups:
            mode >>= 3
        return mode & bits == bits


def reader(view: View, name: str) -> Reader:
    """The user ``name`` of the rootfs, with the groups it is in."""
    for user, _, uid, gid, *_ in _lines(view, "/etc/passwd", 4):
        if user == name and uid.isdecimal() and gid.isdecimal():
            return Reader(name, int(uid), frozenset((int(gid), *_groups(view, name))))
    return Reader(name)


def _groups(view: View, name: str) -> Iterator[int]:
    for _, _, gid, members, *_ in _lines(view, "/etc/group", 4):
        if gid.isdecimal() and name in members.split(","):
            yield int(gid)


def _lines(view: View, path: str, fields: int) -> Iterator[list[str]]:
    # What is no plain number in ASCII would not be one for the device either, and int() stops at long ones.
    for line in (read(view, path) or b"").decode("ascii", "replace").splitlines():
        parts = line.split(":")
        if len(parts) >= fields and len(line) < 4096:
            yield parts
