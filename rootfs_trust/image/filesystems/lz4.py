"""Unpacks LZ4 blocks. Does no I/O.

Source: the LZ4 block format, lz4/doc/lz4_Block_format.md.
"""

from __future__ import annotations

from rootfs_trust.errors import MalformedError


def unpack_lz4(data: bytes, most: int) -> bytes:
    """Decompress a block to at most ``most`` bytes. Further bytes are ignored."""
    out = bytearray()
    try:
        _unpack(data, most, out)
    except IndexError as error:
        raise MalformedError("has a broken LZ4 block") from error
    return bytes(out[:most])


def _unpack(data: bytes, most: int, out: bytearray) -> None:
    at, end = 0, len(data)
    while at < end and len(out) < most:
        token = data[at]
        at += 1
        length, at = _length(data, at, token >> 4)
        out += data[at : at + length]
        at += length
        if at >= end or len(out) >= most:
            return
        offset = data[at] | data[at + 1] << 8
        length, at = _length(data, at + 2, token & 15)
        copy_match(out, offset, min(length + 4, most - len(out)), "LZ4")


def _length(data: bytes, at: int, length: int) -> tuple[int, int]:
    """Return a length and the offset after it. A length of 15 continues in further bytes."""
    if length == 15:
        while (more := data[at]) == 255:
            length += 255
            at += 1
        length += more
        at += 1
    return length, at


def copy_match(out: bytearray, offset: int, length: int, name: str) -> None:
    """Append ``length`` bytes that begin ``offset`` before the end. They may overlap the appended bytes."""
    start = len(out) - offset
    if start < 0 or offset == 0:
        raise MalformedError(f"has a broken {name} block")
    if offset >= length:
        out += out[start : start + length]
    else:
        piece = bytes(out[start:])
        out += (piece * (length // offset + 1))[:length]
