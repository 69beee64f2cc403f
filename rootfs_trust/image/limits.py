"""Limits for all layers of a tree together. Those for one layer are in ``tar_stream`` and ``streams``."""

from __future__ import annotations

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.streams import MAX_UNPACKED
from rootfs_trust.image.tar_stream import MAX_MEMBERS, Member
from rootfs_trust.rootfs.plan import MAX_PATH
from rootfs_trust.rootfs.view import as_bytes
from rootfs_trust.times import EARLIEST, LATEST

MAX_ENTRIES = MAX_MEMBERS
"""Maximum number of entries in all layers together."""

MAX_BYTES = MAX_UNPACKED
"""Maximum decompressed size of all layers together, in bytes."""

MAX_TEXT = 256 * 1024 * 1024
"""Maximum total size in bytes of names, link targets and extended attributes, which are kept in memory."""

MAX_STEPS = 100_000_000
"""Maximum number of link components that are followed to place the entries. Long chains of links cost thousands for
each entry.
"""

_FIRST, _LAST = int(EARLIEST.timestamp()), int(LATEST.timestamp())


class Limits:
    """Counts the entries of one tree. Methods raise MalformedError if a limit is exceeded."""

    def __init__(self) -> None:
        self._entries = self._bytes = self._text = self._steps = 0

    def count(self, member: Member) -> None:
        """Count one more entry, before its content is read."""
        info = member.info
        if not _FIRST <= info.mtime <= _LAST:  # which is also wrong of NaN
            raise MalformedError(f"has an entry {info.name!r} whose time is not in the years 1 to 9999")
        if info.issym() and len(as_bytes(info.linkname)) > MAX_PATH:
            raise MalformedError(f"has a link {info.name!r} to more than {MAX_PATH} bytes")
        self._entries += 1
        self._bytes += member.end - member.start
        self._text += len(info.name) + len(info.linkname)
        self._text += sum(len(key) + len(value) for key, value in member.attributes.items())
        if self._entries > MAX_ENTRIES:
            raise MalformedError(f"makes a tree of more than {MAX_ENTRIES} entries, all layers counted")
        if self._bytes > MAX_BYTES:
            raise MalformedError(f"makes a tree of more than {MAX_BYTES >> 30} GiB, all layers counted")
        if self._text > MAX_TEXT:
            raise MalformedError(f"makes a tree with more than {MAX_TEXT >> 20} MiB of names, links and attributes")

    def walk(self, steps: int) -> None:
        """Count the ``steps`` of a link in an entry's path."""
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise MalformedError(f"has entries below links of more than {MAX_STEPS} parts in all")
