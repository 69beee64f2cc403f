"""The extended attributes of squashfs. Does no I/O itself."""

from __future__ import annotations

from struct import unpack_from

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.inodes import Decompress
from rootfs_trust.image.filesystems.squashfs_metadata import Lookup, Metadata, Reader
from rootfs_trust.image.filesystems.storage import Storage
from rootfs_trust.rootfs.view import as_text

_NO_TABLE = (1 << 64) - 1
_PREFIXES = {0: "user.", 1: "trusted.", 2: "security."}
_ELSEWHERE = 0x100
_MAX_VALUE = 64 * 1024
_MAX_COUNT = 4096


class AttributeTable:
    """The table of extended attributes at the offset ``start``."""

    def __init__(self, storage: Storage, start: int, unpack: Decompress) -> None:
        self._values: Metadata | None = None
        if start != _NO_TABLE:
            values, count, _ = unpack_from("<QII", storage.read(start, 16))
            self._values = Metadata(storage, values, unpack)
            self._records = Lookup(storage, start + 16, 16, count, unpack)

    def read(self, index: int) -> dict[str, bytes]:
        """Return the attributes of an inode that refers to the record ``index``."""
        if self._values is None:
            raise MalformedError("names extended attributes and has none")
        place, count, _ = unpack_from("<QII", self._records.read(index))
        if count > _MAX_COUNT:
            raise MalformedError("has an inode with too many extended attributes")
        reader = self._values.reader(place >> 16, place & 0xFFFF)
        return dict(self._attribute(reader, self._values) for _ in range(count))

    def _attribute(self, reader: Reader, values: Metadata) -> tuple[str, bytes]:
        kind, length = unpack_from("<HH", reader.take(4))
        name = _PREFIXES.get(kind & 0xFF)
        if name is None:
            raise MalformedError("has an extended attribute of an unknown type")
        name += as_text(reader.take(length))
        value = _value(reader)
        if kind & _ELSEWHERE:
            (place,) = unpack_from("<Q", value.ljust(8, b"\0"))
            value = _value(values.reader(place >> 16, place & 0xFFFF))
        return name, value


def _value(reader: Reader) -> bytes:
    (size,) = unpack_from("<I", reader.take(4))
    if size > _MAX_VALUE:
        raise MalformedError("has an extended attribute that is too large")
    return reader.take(size)
