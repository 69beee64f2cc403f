"""Finds the blocks of a file, by extents or by indirect blocks. Does no I/O itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import iter_unpack, unpack, unpack_from

from rootfs_trust.errors import MalformedError

_MAGIC, _MAX_DEPTH, _UNWRITTEN = 0xF30A, 5, 32768
_DIRECT = 12

Block = Callable[[int], bytes]
"""A function that returns the content of a block."""

Run = tuple[int, int, int]
"""Consecutive blocks of a file: first logical block, first physical block, count."""


def by_extents(root: bytes, block: Block, blocks: int) -> Iterator[Run]:
    """Yield the runs of a file with at most ``blocks`` blocks, from its extent tree, whose root is in the inode."""
    pending = [(root, _MAX_DEPTH + 1)]
    nodes = 0
    while pending:
        node, above = pending.pop()
        nodes += 1
        magic, count, _, depth = unpack_from("<4H", node)
        if magic != _MAGIC or depth >= above or 12 + 12 * count > len(node) or nodes > blocks + _MAX_DEPTH:
            raise MalformedError("has a broken extent tree")
        entries = iter_unpack("<IHHI", node[12 : 12 + 12 * count])
        if depth:
            children = [unpack_from("<IH", node, 12 + 12 * index + 4) for index in range(count)]
            if len(pending) + count > blocks + _MAX_DEPTH:
                raise MalformedError("has a broken extent tree")
            pending += [(block(low | high << 32), depth) for low, high in reversed(children)]
            continue
        for logical, length, high, low in entries:
            if length <= _UNWRITTEN and logical < blocks:
                yield logical, low | high << 32, length


def by_indirect_blocks(own: bytes, block: Block, block_size: int, blocks: int) -> Iterator[Run]:
    """Yield the runs of a file from the fifteen block numbers in its inode: twelve data blocks, and three trees of
    numbers.
    """
    numbers = unpack("<15I", own)
    for logical, physical in enumerate(numbers[: min(_DIRECT, blocks)]):
        if physical:
            yield logical, physical, 1
    logical, reach = _DIRECT, 1
    for depth, number in enumerate(numbers[_DIRECT:], 1):
        reach *= block_size // 4
        yield from _below(number, depth, logical, block, block_size, blocks)
        logical += reach


def _below(number: int, depth: int, logical: int, block: Block, block_size: int, blocks: int) -> Iterator[Run]:
    if not number or logical >= blocks:
        return
    per_block = block_size // 4
    reach = per_block ** (depth - 1)
    for index, (physical,) in enumerate(iter_unpack("<I", block(number))):
        start = logical + index * reach
        if start >= blocks:
            return
        if depth > 1:
            yield from _below(physical, depth - 1, start, block, block_size, blocks)
        elif physical:
            yield start, physical, 1
