"""Extended attributes of ext2, ext3 and ext4. Does no I/O itself.

Source: Linux, Documentation/filesystems/ext4/attributes.rst, and fs/ext4/acl.h for access control lists.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack, unpack_from

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.view import as_text

_MAGIC = b"\x00\x00\x02\xea"
_PREFIXES = {
    1: "user.",
    2: "system.posix_acl_access",
    3: "system.posix_acl_default",
    4: "trusted.",
    6: "security.",
    7: "system.",
    8: "system.richacl",
}
_LISTS = (2, 3)
VALUE_OF_INLINE_DATA = "system.data"
"""The attribute that contains the end of a small file, if the inode has no space for it."""

_MAX_VALUE = 64 * 1024


def read_attributes(inode: bytes, block: bytes, value: Callable[[int], bytes]) -> dict[str, bytes]:
    """Return the attributes in an inode and in its attribute block (empty if it has none). ``value`` reads values in
    separate inodes.
    """
    found: dict[str, bytes] = {}
    if len(inode) > 132:
        start = 128 + unpack_from("<H", inode, 128)[0]
        if inode[start : start + 4] == _MAGIC:
            _read(inode[start + 4 :], 0, value, found)
    if block:
        if block[:4] != _MAGIC:
            raise MalformedError("has a broken block of extended attributes")
        _read(block, 32, value, found)
    return found


def _read(area: bytes, position: int, value: Callable[[int], bytes], found: dict[str, bytes]) -> None:
    """Add the entries from ``position`` on to ``found``. The offsets of their values are relative to the start of
    ``area``.
    """
    while position + 4 <= len(area) and area[position : position + 4] != bytes(4):
        if position + 16 > len(area):
            raise MalformedError("has a broken extended attribute")
        length, index, offset, inode, size = unpack_from("<BBHII", area, position)
        name = area[position + 16 : position + 16 + length]
        if (
            index not in _PREFIXES
            or len(name) != length
            or size > _MAX_VALUE
            or (not inode and offset + size > len(area))
        ):
            raise MalformedError("has a broken extended attribute")
        content = value(inode)[:size] if inode else area[offset : offset + size]
        found[_PREFIXES[index] + as_text(name)] = _access_list(content) if index in _LISTS else content
        position += (16 + length + 3) & ~3


def _access_list(stored: bytes) -> bytes:
    """Convert an access control list to the form in which the kernel passes it to programs (version 2: every entry has
    an id).
    """
    parts, position = [pack("<I", 2)], 4
    while position + 4 <= len(stored):
        tag, rights = unpack_from("<HH", stored, position)
        named = tag in (0x02, 0x08) and position + 8 <= len(stored)
        parts.append(pack("<HHI", tag, rights, unpack_from("<I", stored, position + 4)[0] if named else 0xFFFFFFFF))
        position += 8 if named else 4
    return b"".join(parts)
