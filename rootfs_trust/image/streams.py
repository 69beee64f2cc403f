"""Bytes that pass by once: cut, checked, unpacked and packed, a piece at a time. No file is opened here.

A stream is an iterator of byte strings. Nothing of it is kept, so memory does not grow with its length.
"""

from __future__ import annotations

import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import BinaryIO, Protocol

from rootfs_trust.errors import InputError, MalformedError, Trouble

PIECE = 256 * 1024
"""Bytes that are read, unpacked or written at once."""

MAX_UNPACKED = 64 * 1024 * 1024 * 1024
"""Bytes that one stream may unpack to: more than any image, less than a decompression bomb wants."""

_MAX_XZ_MEMORY = 512 * 1024 * 1024
"""Bytes; ``xz -9`` needs 65 MiB to be read."""

GZIP, ZSTD, XZ, PLAIN = "gzip", "zstd", "xz", ""
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD, b"\xfd7zXZ\x00": XZ}


class Blob:
    """Bytes that can be read again: ``start`` gives them from an offset on; ``size`` is their number."""

    def __init__(self, start: Callable[[int], Iterator[bytes]], size: int, *, host_path: str | None = None) -> None:
        self.start = start
        self.size = size
        self.host_path = host_path
        """The file of the host that is just these bytes, if there is one."""

    def read(self, limit: int) -> bytes | None:
        """All of it, or None if that is more than ``limit`` bytes."""
        return b"".join(self.start(0)) if self.size <= limit else None


def in_memory(content: bytes) -> Blob:
    """A blob of bytes that are there."""
    return Blob(lambda offset: iter((content[offset:],)), len(content))


def of_file(file: BinaryIO) -> Iterator[bytes]:
    """What an open file holds from here on."""
    while piece := file.read(PIECE):
        yield piece


def section(stream: Iterable[bytes], offset: int, size: int) -> Iterator[bytes]:
    """The ``size`` bytes of a stream that begin at ``offset``."""
    for piece in stream:
        wanted = piece[offset : offset + size]
        offset = max(0, offset - len(piece))
        size -= len(wanted)
        if wanted:
            yield wanted
        if not size:
            return
    if size:
        raise MalformedError("is cut short")


def checked(stream: Iterable[bytes], digest: str, what: str) -> Iterator[bytes]:
    """A stream as it is; at its end MalformedError unless it has ``digest``, spelled ``sha256:HEX``."""
    algorithm, _, wanted = digest.partition(":")
    state = hashlib.new(algorithm, usedforsecurity=False)
    for piece in stream:
        state.update(piece)
        yield piece
    if state.hexdigest() != wanted:
        raise MalformedError(f"{what} is {digest}, but its bytes have {algorithm}:{state.hexdigest()}")


# -- unpacking -------------------------------------------------------------------------------------------


def compression(first: bytes) -> str:
    """How a stream that begins with these bytes is packed; empty if it is not."""
    return next((name for magic, name in _MAGIC.items() if first.startswith(magic)), PLAIN)


def unpacked(stream: Iterator[bytes]) -> tuple[str, Iterator[bytes]]:
    """How a stream is packed, and what is in it."""
    first = next(stream, b"")
    while len(first) < max(map(len, _MAGIC)) and (more := next(stream, b"")):
        first += more
    kind = compression(first)
    rest = _joined(first, stream)
    return kind, _bounded(rest if kind == PLAIN else _unpacked(rest, kind))


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _bounded(stream: Iterator[bytes]) -> Iterator[bytes]:
    left = MAX_UNPACKED
    for piece in stream:
        left -= len(piece)
        if left < 0:
            raise MalformedError(f"unpacks to more than {MAX_UNPACKED >> 30} GiB")
        yield piece


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gunzip:
    """zlib's object with the interface of lzma's."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


def _unpacked(stream: Iterator[bytes], kind: str) -> Iterator[bytes]:
    """Members or frames, one behind the other, as the programs of the formats read them; zeros may follow."""
    rest = b""
    while rest := rest.lstrip(b"\0") or next(stream, b""):
        if not rest.strip(b"\0"):
            rest = b""
            continue
        worker = _decompressor(kind)
        try:
            yield from _one_frame(worker, rest, stream)
        except _errors(kind) as error:
            raise MalformedError(f"is no well-made {kind} stream: {error}") from error
        rest = worker.unused_data


def _one_frame(worker: _Decompressor, data: bytes, stream: Iterator[bytes]) -> Iterator[bytes]:
    while True:
        if piece := worker.decompress(data, PIECE):
            yield piece
        if worker.eof:
            return
        starving = worker.needs_input
        data = next(stream, b"") if starving else b""
        if starving and not (data or piece):
            raise MalformedError("is cut short")


def _decompressor(kind: str) -> _Decompressor:
    if kind == GZIP:
        return _Gunzip()
    if kind == XZ:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ_MEMORY)
    worker: _Decompressor = _zstd().ZstdDecompressor()
    return worker


def _errors(kind: str) -> tuple[type[Exception], ...]:
    return (zlib.error, lzma.LZMAError, *((_zstd().ZstdError,) if kind == ZSTD else ()))


def _zstd() -> ModuleType:
    """zstd of the standard library (Python 3.14), else of the package that brings it to older ones."""
    from importlib import import_module

    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    raise InputError(
        Trouble(
            "zstd",
            "",
            "this Python cannot read zstd, with which the image is compressed",
            "use Python 3.14, or install rootfs-trust[zstd]",
        )
    )


# -- packing ---------------------------------------------------------------------------------------------


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def packed(stream: Iterable[bytes], kind: str) -> Iterator[bytes]:
    """A stream packed: the same bytes give the same, since neither time nor name is put in."""
    if kind == PLAIN:
        yield from stream
        return
    worker = _compressor(kind)
    for piece in stream:
        if out := worker.compress(piece):
            yield out
    yield worker.flush()


def _compressor(kind: str) -> _Compressor:
    if kind == GZIP:
        return zlib.compressobj(wbits=31)
    if kind == XZ:
        return lzma.LZMACompressor()
    worker: _Compressor = _zstd().ZstdCompressor()
    return worker
