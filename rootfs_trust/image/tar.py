"""Tar streams read forwards: headers by the standard library, contents only where they are asked for."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.nodes import as_bytes

MAX_HEADER = 1024 * 1024
"""Bytes of one header with its extensions; the attributes of a file have at most 64 KiB each."""

MAX_MEMBERS = 4_000_000
"""Entries of one stream."""

MAX_DEPTH = 255
"""Folders in one name."""

XATTR = "SCHILY.xattr."
"""Before the name of an extended attribute, in POSIX headers as GNU tar and star write them."""


class Forward:
    """A stream as the file that :mod:`tarfile` wants: it can be read and skipped, never turned back."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._position = 0
        self.last = b""
        """What was read last: at the end of a well-made archive a block of zeros, or nothing."""
        self.headers: list[bytes] = []
        """What was read and not skipped since the last member."""

    def tell(self) -> int:
        """Bytes that have passed."""
        return self._position

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        if size > MAX_HEADER:
            raise MalformedError(f"has a header of more than {MAX_HEADER} bytes")
        parts = list(self.pieces(size))
        self.last = parts[0] if len(parts) == 1 else b"".join(parts)
        self.headers.append(self.last)
        return self.last

    def seek(self, position: int) -> None:
        """Skip to ``position``, which lies ahead."""
        for _ in self.pieces(position - self._position):
            pass

    def pieces(self, size: int) -> Iterator[bytes]:
        """Up to ``size`` bytes, a piece at a time."""
        while size > 0:
            if self._at == len(self._buffer):
                self._buffer, self._at = next(self._stream, b""), 0
                if not self._buffer:
                    return
            piece = self._buffer[self._at : self._at + size]
            self._at += len(piece)
            self._position += len(piece)
            size -= len(piece)
            yield piece

    def drain(self) -> None:
        """Let all that is left pass by, so that digests see the whole."""
        self._buffer, self._at = b"", 0
        for _ in self._stream:
            pass


class Member(NamedTuple):
    """An entry of a tar stream. Its raw bytes lie between ``start`` and ``end``; global headers may come before."""

    info: tarfile.TarInfo
    number: int
    start: int
    end: int
    stream: Forward

    @property
    def attributes(self) -> dict[str, bytes]:
        """Extended attributes, as GNU tar and star write them."""
        headers = self.info.pax_headers
        return {name[len(XATTR) :]: as_bytes(text) for name, text in headers.items() if name.startswith(XATTR)}

    def content(self) -> bytes:
        """The bytes of a regular file; only right after this member was given."""
        content = b"".join(self.stream.pieces(self.info.size))
        if len(content) != self.info.size:
            raise MalformedError("is cut short")
        return content

    @property
    def global_headers(self) -> bytes:
        """Raw bytes before this member, which hold for all that follow."""
        return b"".join(self.stream.headers)[: self.info.offset - self.start]

    @property
    def header(self) -> bytes:
        """The raw header, with its extensions; only right after this member was given."""
        return b"".join(self.stream.headers)[self.info.offset - self.start :]

    def rest(self) -> Iterator[bytes]:
        """The raw bytes behind the header, padding included; only right after this member was given."""
        return self.stream.pieces(self.end - self.stream.tell())


def members(stream: Iterator[bytes]) -> Iterator[Member]:
    """The entries of a tar stream, each to be looked at before the next is asked for.

    Raises MalformedError for what is no tar stream, at the entry from which on it cannot be read.
    """
    forward = Forward(stream)
    try:
        tar = tarfile.TarFile(
            fileobj=forward,  # type: ignore[arg-type]  # all that is used of a file is there
            encoding="utf-8",
            errors="surrogateescape",
        )
        number = start = 0
        while (info := tar.next()) is not None:
            # The list would hold every entry of the archive.
            tar.members = []  # type: ignore[attr-defined]
            yield Member(info, number, start, tar.offset, forward)
            forward.seek(tar.offset)
            forward.headers.clear()
            number, start = number + 1, tar.offset
            if number > MAX_MEMBERS:
                raise MalformedError(f"has more than {MAX_MEMBERS} entries")
    except (tarfile.TarError, ValueError, OverflowError, IndexError) as error:
        raise MalformedError(f"is no well-made tar archive: {error}") from error
    if forward.last.strip(b"\0"):
        # tarfile takes a broken header behind the first one for the end.
        raise MalformedError(f"is no well-made tar archive: broken header at byte {start}")
    forward.drain()


def parts_of(name: str) -> list[str]:
    """The parts of an entry's name. Raises MalformedError for one that could lead out of the tree."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise MalformedError(f"has an entry called {name!r}, which could lead out of the tree")
    if len(parts) > MAX_DEPTH:
        raise MalformedError(f"has an entry that is more than {MAX_DEPTH} folders deep")
    return parts
