"""Decompresses one block of a file system, with a limit on the result. Does no I/O.

gzip, xz and zstd come with Python or the extra ``zstd``; LZ4 and LZO have separate modules.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.inodes import Decompress
from rootfs_trust.image.filesystems.lz4 import unpack_lz4
from rootfs_trust.image.filesystems.lzo import unpack_lzo
from rootfs_trust.image.streams import zstd_module

_MAX_MEMORY = 64 * 1024 * 1024
_MAX_DICTIONARY = 8 * 1024 * 1024


class _Worker(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decompressor(name: str) -> Decompress:
    """Return the function that decompresses a block of this kind and raises MalformedError. Raises InputError without
    zstd.
    """
    if name in _OWN:
        return _OWN[name]
    make, errors = _WORKERS[name]()

    def unpack(data: bytes, most: int) -> bytes:
        try:
            return make().decompress(data, most)
        except errors as error:
            raise MalformedError(f"has a broken {name} block: {error}") from error

    return unpack


_Maker = tuple[Callable[[], _Worker], type[Exception]]


def _zlib() -> _Maker:
    return zlib.decompressobj, zlib.error


def _deflate() -> _Maker:
    return lambda: zlib.decompressobj(wbits=-15), zlib.error


def _xz() -> _Maker:
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_MEMORY), lzma.LZMAError


def _lzma() -> _Maker:
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MAX_MEMORY), lzma.LZMAError


def _zstd() -> _Maker:
    module = zstd_module()
    return module.ZstdDecompressor, module.ZstdError


_WORKERS: dict[str, Callable[[], _Maker]] = {
    "gzip": _zlib,
    "deflate": _deflate,
    "xz": _xz,
    "lzma": _lzma,
    "zstd": _zstd,
}


def unpack_micro_lzma(data: bytes, most: int) -> bytes:
    """Decompress MicroLZMA, which erofs uses: raw LZMA whose first byte, always 0, is replaced by the inverted
    properties.

    Source: XZ Utils, src/liblzma/common/microlzma_decoder.c.
    """
    properties = ~data[0] & 0xFF if data else 255
    if properties > (4 * 5 + 4) * 9 + 8:
        raise MalformedError("has a broken MicroLZMA block")
    rest, lc = divmod(properties, 9)
    pb, lp = divmod(rest, 5)
    filters = [{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": _MAX_DICTIONARY}]
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters).decompress(b"\0" + data[1:], most)
    except lzma.LZMAError as error:
        raise MalformedError(f"has a broken MicroLZMA block: {error}") from error


_OWN: dict[str, Decompress] = {"lz4": unpack_lz4, "lzo": unpack_lzo, "microlzma": unpack_micro_lzma}
