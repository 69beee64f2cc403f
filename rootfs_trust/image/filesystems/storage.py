"""Random access to the bytes of an image file, or of a partition in it. Does no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rootfs_trust.errors import MalformedError


class Storage(Protocol):
    """An image file or partition of ``size`` bytes that can be read at any offset."""

    @property
    def size(self) -> int:
        """The total number of bytes."""

    def read(self, offset: int, size: int) -> bytes:
        """Return exactly ``size`` bytes from ``offset`` on. Raises MalformedError if the image ends before that."""


@dataclass(frozen=True, slots=True)
class StorageSection:
    """A partition: the ``size`` bytes of ``storage`` from ``start`` on."""

    storage: Storage
    start: int
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Implements :meth:`Storage.read`."""
        if not 0 <= offset <= offset + size <= self.size:
            raise truncated()
        return self.storage.read(self.start + offset, size)


def truncated() -> MalformedError:
    """Return the error for a read beyond the end."""
    return MalformedError("is cut short, or points outside of itself")


def start_of(storage: Storage, size: int) -> bytes:
    """Return the first ``size`` bytes, padded with zeros if the image is smaller."""
    return storage.read(0, min(size, storage.size)).ljust(size, b"\0")
