"""Byte streams: sliced, verified, decompressed and compressed, a piece at a time. No file is opened here.

A stream is an iterator of byte strings. Nothing of it is kept, so memory does not grow with its length.
"""

from __future__ import annotations

import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from types import ModuleType
from typing import BinaryIO, Protocol

from rootfs_trust.errors import ZSTD as NEEDS_ZSTD
from rootfs_trust.errors import InputError, MalformedError
from rootfs_trust.image.worker_thread import WorkerThread

PIECE = 256 * 1024
"""Size of a piece in bytes."""

MAX_UNPACKED = 64 * 1024 * 1024 * 1024
"""Maximum decompressed size of a stream: larger than any image, smaller than a decompression bomb."""

_MAX_XZ_MEMORY = 512 * 1024 * 1024
"""Memory limit for xz in bytes. Decompressing the output of ``xz -9`` needs 65 MiB."""

MAX_FRAMES = 1_000_000
"""Maximum number of gzip members, zstd frames or xz streams: lazily pulled images have one for each file."""

_FIRST_SLICE = 1024

GZIP, ZSTD, XZ, PLAIN = "gzip", "zstd", "xz", ""
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD, b"\xfd7zXZ\x00": XZ}


class Blob:
    """Bytes that can be read again: ``start`` yields them from an offset on; ``size`` is their number."""

    def __init__(
        self, start: Callable[[int], Iterator[bytes]], size: int, *, link: Callable[[str], None] | None = None
    ) -> None:
        self.start = start
        self.size = size
        self.link = link
        """Creates a hard link at a host path to the file with exactly these bytes. None if there is no such file."""
        self.digest = ""
        """The expected digest, ``sha256:HEX``, if known: ``start(0)`` verifies it at the end."""

    def with_digest(self, digest: str) -> Blob:
        """Return the same bytes. Reading all of them raises MalformedError at the end unless they have ``digest``."""
        blob = Blob(lambda _: checked(self.start(0), digest, "its name"), self.size, link=self.link)
        blob.digest = digest
        return blob

    def read(self, limit: int) -> bytes | None:
        """Return all bytes, or None if there are more than ``limit``."""
        return b"".join(self.start(0)) if self.size <= limit else None


class SteadyBlob(Blob):
    """A blob without a digest. After one complete reading, later readings must give the same bytes."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(self._read, blob.size)
        self._source = blob
        self._first = b""

    def _read(self, offset: int) -> Iterator[bytes]:
        if offset:
            yield from self._source.start(offset)
            return
        state = hashlib.sha256(usedforsecurity=False)
        for piece in self._source.start(0):
            state.update(piece)
            yield piece
        if self._first not in (b"", state.digest()):
            raise MalformedError("changed while it was read")
        self._first = state.digest()


def in_memory(content: bytes) -> Blob:
    """Return a blob of the bytes ``content``."""
    return Blob(lambda offset: iter((content[offset:],)), len(content))


def of_file(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of an open file."""
    while piece := file.read(PIECE):
        yield piece


def section(stream: Iterable[bytes], offset: int, size: int) -> Iterator[bytes]:
    """Yield the ``size`` bytes of a stream that begin at ``offset``."""
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
    """Yield a stream unchanged. Raises MalformedError at its end unless it has ``digest``, ``sha256:HEX``."""
    algorithm, _, wanted = digest.partition(":")
    state = hashlib.new(algorithm, usedforsecurity=False)
    for piece in stream:
        state.update(piece)
        yield piece
    if state.hexdigest() != wanted:
        raise MalformedError(f"{what} is {digest}, but the content has {algorithm}:{state.hexdigest()}")


# -- unpacking -------------------------------------------------------------------------------------------


def compression(first: bytes) -> str:
    """Return the compression of a stream that begins with these bytes; empty if it is not compressed."""
    return next((name for magic, name in _MAGIC.items() if first.startswith(magic)), PLAIN)


def unpacked(stream: Iterator[bytes]) -> tuple[str, Iterator[bytes]]:
    """Return the compression of a stream, and its decompressed content."""
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
        if piece:  # readers take an empty piece for the end of the stream
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
    """A gzip decompressor with the interface of lzma's decompressor."""

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


class _Input:
    """A compressed stream in slices. Bytes that a frame did not consume are given back."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes, at most ``size``; nothing at the end."""
        if self._at == len(self._buffer):
            self._buffer, self._at = next(self._stream, b""), 0
        taken = self._buffer[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def give_back(self, size: int) -> None:
        """Return the last ``size`` bytes to the input. They must all be from one slice."""
        self._at -= size


def _unpacked(stream: Iterator[bytes], kind: str) -> Iterator[bytes]:
    """Yield the content of members or frames in sequence, as the formats' programs do. Zeros may follow."""
    source, frames = _Input(stream), 0
    errors = _errors(kind)  # not in the except clause, which an abandoned stream reaches when Python ends
    with closing(WorkerThread()) as worker:
        while first := source.take(_FIRST_SLICE):
            rest = first.lstrip(b"\0")
            source.give_back(len(rest))
            if not rest:
                continue
            frames += 1
            if frames > MAX_FRAMES:
                raise MalformedError(f"is a {kind} stream of more than {MAX_FRAMES} parts")
            try:
                yield from _one_frame(_decompressor(kind), source, worker)
            except errors as error:
                reason = str(error).rpartition("while decompressing data: ")[2]
                raise MalformedError(f"is not a valid {kind} stream: {reason}") from error


def _one_frame(frame: _Decompressor, source: _Input, worker: WorkerThread) -> Iterator[bytes]:
    """Yield the content of one frame. Slices start small, so that a million tiny frames take linear time.

    With slices of full size, the worker decompresses the next piece while the caller uses this one.
    """
    size, starving, piece = _FIRST_SLICE, True, b""
    while True:
        data = source.take(size) if starving else b""
        step = partial(frame.decompress, data, PIECE)
        result = step if size < PIECE else worker.start(step)
        yield piece
        piece = result()
        if frame.eof:
            source.give_back(len(frame.unused_data))
            yield piece
            return
        if starving and not (data or piece):
            raise MalformedError("is cut short")
        size = min(2 * size, PIECE) if starving else size
        starving = frame.needs_input


def _decompressor(kind: str) -> _Decompressor:
    if kind == GZIP:
        return _Gunzip()
    if kind == XZ:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ_MEMORY)
    worker: _Decompressor = zstd_module().ZstdDecompressor()
    return worker


def _errors(kind: str) -> tuple[type[Exception], ...]:
    return (zlib.error, lzma.LZMAError, *((zstd_module().ZstdError,) if kind == ZSTD else ()))


def zstd_module() -> ModuleType:
    """Return the zstd module of the standard library (Python 3.14), or of the package for older versions."""
    from importlib import import_module

    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise InputError(NEEDS_ZSTD("", "this Python cannot read zstd, with which the image is compressed"))


# -- packing ---------------------------------------------------------------------------------------------


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def packed(stream: Iterable[bytes], kind: str) -> Iterator[bytes]:
    """Compress a stream. The same bytes give the same result, because no time or name is stored."""
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
    worker: _Compressor = zstd_module().ZstdCompressor()
    return worker
