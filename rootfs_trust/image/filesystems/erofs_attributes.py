"""The extended attributes of erofs. Does no I/O itself."""

from __future__ import annotations

from collections.abc import Callable
from struct import unpack

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.storage import Storage
from rootfs_trust.rootfs.view import as_text

Read = Callable[[int, int], bytes]
"""A function that returns the bytes at an offset; the second argument is their number."""

_HEADER = 12
_PREFIXES = {
    1: "user.",
    2: "system.posix_acl_access",
    3: "system.posix_acl_default",
    4: "trusted.",
    5: "lustre.",
    6: "security.",
}


_LONG = 0x80
"""A flag in the number of an attribute prefix: the image itself defines the prefix."""


def read_prefixes(read: Read, start: int, count: int) -> dict[int, str]:
    """Return the attribute prefixes that an image defines: ``count`` records at ``start``, each a known prefix and a
    string to append.
    """
    found = {}
    for number in range(count):
        (size,) = unpack("<H", read(start, 2))
        record = read(start + 2, size)
        if not record or record[0] not in _PREFIXES:
            raise MalformedError("has a broken prefix of extended attributes")
        found[_LONG | number] = _PREFIXES[record[0]] + as_text(record[1:])
        start += (2 + size + 3) & ~3
    return found


class AttributeReader:
    """Reads the attributes of inodes. ``shared`` is the position of attributes that several inodes share, ``prefixes``
    are those of the image.
    """

    def __init__(self, storage: Storage, shared: int, prefixes: Callable[[], dict[int, str]]) -> None:
        self._storage = storage
        self._shared = shared
        self._prefixes = prefixes

    def read(self, start: int, end: int) -> dict[str, bytes]:
        """Return the attributes that are stored between ``start`` and ``end``, and the shared ones that they name."""
        if start == end:
            return {}
        count = self._storage.read(start, _HEADER)[4]
        found = {}
        for place in unpack(f"<{count}I", self._storage.read(start + _HEADER, 4 * count)):
            name, value, _ = self._attribute(self._shared + 4 * place)
            found[name] = value
        at = start + _HEADER + 4 * count
        while at + 4 <= end:
            name, value, at = self._attribute(at)
            found[name] = value
        if at > end:
            raise MalformedError("has extended attributes that do not end")
        return found

    def _attribute(self, at: int) -> tuple[str, bytes, int]:
        """Return name and value of the attribute at ``at``, and the offset of the next one."""
        length, index, size = unpack("<BBH", self._storage.read(at, 4))
        prefix = self._prefixes().get(index) if index & _LONG else _PREFIXES.get(index)
        if prefix is None:
            raise MalformedError("has an extended attribute of an unknown type")
        data = self._storage.read(at + 4, length + size)
        return prefix + as_text(data[:length]), data[length:], at + ((4 + length + size + 3) & ~3)
