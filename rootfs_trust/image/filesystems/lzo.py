"""Unpacks LZO1X blocks. Does no I/O.

Source: Linux, Documentation/staging/lzo.rst ("Byte sequences").
"""

from __future__ import annotations

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.lz4 import copy_match


def unpack_lzo(data: bytes, most: int) -> bytes:
    """Decompress a block to at most ``most`` bytes."""
    block = _Block(data, most)
    try:
        block.run()
    except IndexError as error:
        raise MalformedError("has a broken LZO block") from error
    return bytes(block.out)


class _Block:
    def __init__(self, data: bytes, most: int) -> None:
        self._data = data
        self._most = most
        self._at = 0
        self._literals = 0
        """The number of literals that the last instruction copied (0 to 3, or 4 for more). The next instruction depends
        on it.
        """
        self.out = bytearray()

    def run(self) -> None:
        """Carry out all instructions, up to the end marker."""
        first = self._data[0]
        if first >= 18:
            self._at = 1
            self._copy(first - 17)
        while self._instruction():
            if len(self.out) > self._most:
                raise MalformedError("has an LZO block that unpacks to too much")

    def _instruction(self) -> bool:
        code = self._byte()
        if code < 16:
            self._short(code)
        elif code < 32:
            length = 2 + self._length(code & 7, 7)
            distance, state = self._distance()
            distance += (code & 8) << 11
            if not distance:
                return False
            self._match(distance + 16384, length, state)
        elif code < 64:
            length = 2 + self._length(code & 31, 31)
            distance, state = self._distance()
            self._match(distance + 1, length, state)
        else:
            length = 5 + (code >> 5 & 3) if code >= 128 else 3 + (code >> 5 & 1)
            distance = (self._byte() << 3) + (code >> 2 & 7) + 1
            self._match(distance, length, code & 3)
        return True

    def _short(self, code: int) -> None:
        """Run an instruction below 16. Its meaning depends on the number of literals that the last one copied."""
        if self._literals == 0:
            self._copy(3 + self._length(code, 15))
            return
        near = 2049 if self._literals == 4 else 1
        distance = (self._byte() << 2) + (code >> 2) + near
        self._match(distance, 3 if self._literals == 4 else 2, code & 3)

    def _length(self, bits: int, most: int) -> int:
        """Return a length. If its bits are 0, it continues in further bytes."""
        if bits:
            return bits
        length = most
        while not (more := self._byte()):
            length += 255
            if length > self._most:
                raise MalformedError("has an LZO block that unpacks to too much")
        return length + more

    def _distance(self) -> tuple[int, int]:
        """Return the distance in the next two bytes, and the number of literals that follow the match."""
        low = self._byte()
        value = low | self._byte() << 8
        return value >> 2, value & 3

    def _match(self, distance: int, length: int, literals: int) -> None:
        copy_match(self.out, distance, min(length, self._most + 1 - len(self.out)), "LZO")
        self._copy(literals)

    def _copy(self, count: int) -> None:
        literals = self._data[self._at : self._at + count]
        if len(literals) != count:
            raise MalformedError("has a broken LZO block")
        self.out += literals
        self._at += count
        self._literals = min(count, 4)

    def _byte(self) -> int:
        value = self._data[self._at]
        self._at += 1
        return value
