"""Reads tar streams forwards, with limits on time and memory for any content.

Formats: the header blocks of V7, POSIX.1-1988 (ustar) and GNU tar, long names and old sparse files of GNU tar, extended
headers of POSIX.1-2001 (pax). An entry becomes a :class:`tarfile.TarInfo`, but the standard library does not read the
stream: docs/adr/0004-tar-reader.md says why.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.view import as_bytes, as_text

MAX_HEADER = 1024 * 1024
"""Maximum bytes of one extended header, of the map of one sparse file, and of all global headers together."""

MAX_EXTENSIONS = 100
"""Maximum number of extended headers before one entry; two or three are usual."""

MAX_MEMBERS = 4_000_000
"""Maximum number of entries in one stream."""

MAX_DEPTH = 255
"""Maximum directory depth of a name."""

XATTR = "SCHILY.xattr."
"""Prefix of extended attributes in POSIX headers, as GNU tar and star write them."""

_BLOCK = tarfile.BLOCKSIZE
_LONG_NAME, _LONG_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_GLOBAL = tarfile.XGLTYPE
_SPARSE = tarfile.GNUTYPE_SPARSE
_MOST_DIGITS = 20
_MOST_FIELDS = 1024
"""Maximum number of cached fields. Most entries have the same owner, mode and time as others."""


class ForwardOnlyFile:
    """A stream that can only be read and skipped forwards. ``name`` is its format in messages."""

    def __init__(self, stream: Iterator[bytes], name: str = "tar") -> None:
        self._stream = stream
        self.name = name
        self._buffer = b""
        self._at = 0
        self.position = 0
        """The number of bytes that were read or skipped."""
        self.headers: list[bytes] = []
        """The bytes that were read, but not skipped, since the last member."""

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes of headers, or nothing at the end. Raises MalformedError if it ends early."""
        data = self._buffer[self._at : self._at + size]
        self._at += len(data)
        self.position += len(data)
        if len(data) < size:
            data += b"".join(self.pieces(size - len(data)))
        if data and len(data) != size:
            raise self.truncated()
        self.headers.append(data)
        return data

    def skip_to(self, position: int) -> None:
        """Skip forwards to ``position``. Raises MalformedError if the stream ends before it."""
        while self.position < position:
            if self._at == len(self._buffer):
                self._buffer, self._at = next(self._stream, b""), 0
                if not self._buffer:
                    raise self.truncated()
            step = min(len(self._buffer) - self._at, position - self.position)
            self._at += step
            self.position += step

    def skip_zeros(self) -> None:
        """Skip to the next byte that is not zero, or to the end."""
        while self._at < len(self._buffer) or (more := next(self._stream, b"")):
            if self._at == len(self._buffer):
                self._buffer, self._at = more, 0
            left = len(self._buffer) - self._at
            rest = len(self._buffer[self._at :].lstrip(b"\0"))
            self._at += left - rest
            self.position += left - rest
            if rest:
                return

    def give_back(self, data: bytes) -> None:
        """Return ``data``, the last bytes read, to the stream."""
        self._buffer, self._at = data + self._buffer[self._at :], 0
        self.position -= len(data)

    def rest(self) -> Iterator[bytes]:
        """Return the remaining stream."""
        yield self._buffer[self._at :]
        self._buffer, self._at = b"", 0
        yield from self._stream

    def truncated(self) -> MalformedError:
        """Return the error for a stream that ends early."""
        return MalformedError(f"is not a valid {self.name} archive: it is truncated")

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield up to ``size`` bytes, a piece at a time."""
        while size > 0:
            if self._at == len(self._buffer):
                self._buffer, self._at = next(self._stream, b""), 0
                if not self._buffer:
                    return
            piece = self._buffer[self._at : self._at + size]
            self._at += len(piece)
            self.position += len(piece)
            size -= len(piece)
            yield piece

    def drain(self) -> None:
        """Read to the end, so that digests cover the whole stream."""
        self._buffer, self._at = b"", 0
        for _ in self._stream:
            pass


class Member(NamedTuple):
    """An entry of a tar stream. Its raw bytes are from ``start`` to ``end``; global headers may precede it."""

    info: tarfile.TarInfo
    number: int
    start: int
    end: int
    stream: ForwardOnlyFile

    @property
    def attributes(self) -> dict[str, bytes]:
        """Extended attributes, as GNU tar and star write them."""
        headers = self.info.pax_headers
        return {name[len(XATTR) :]: as_bytes(text) for name, text in headers.items() if name.startswith(XATTR)}

    def content(self) -> bytes:
        """Return the bytes of a regular file. Only valid until the next member is read."""
        content = b"".join(self.stream.pieces(self.info.size))
        if len(content) != self.info.size:
            raise self.stream.truncated()
        return content

    @property
    def global_headers(self) -> bytes:
        """Return the raw bytes before this member that apply to all following ones."""
        return b"".join(self.stream.headers)[: self.info.offset - self.start]

    @property
    def header(self) -> bytes:
        """Return the raw header with its extensions. Only valid until the next member is read."""
        return b"".join(self.stream.headers)[self.info.offset - self.start :]

    def rest(self) -> Iterator[bytes]:
        """Yield the raw bytes after the header, including padding. Only valid until the next member is read."""
        return self.stream.pieces(self.end - self.stream.position)


def members(stream: Iterator[bytes]) -> Iterator[Member]:
    """Yield the entries of a tar stream. Each is valid only until the next one is read.

    Raises MalformedError at the first entry that cannot be read.
    """
    forward = ForwardOnlyFile(stream)
    headers = _Headers(forward)
    number = start = 0
    while (info := headers.next()) is not None:
        end = forward.position + _padded(headers.stored)
        yield Member(info, number, start, end, forward)
        forward.skip_to(end)
        forward.headers.clear()
        number, start = number + 1, end
        if number > MAX_MEMBERS:
            raise MalformedError(f"has more than {MAX_MEMBERS} entries")
    forward.drain()


class _Headers:
    """Reads the headers of the entries in sequence. ``stored`` is the size of the last content in the stream."""

    def __init__(self, stream: ForwardOnlyFile) -> None:
        self._stream = stream
        self._globals: dict[str, str] = {}
        self.stored = 0

    def next(self) -> tarfile.TarInfo | None:
        """Return the next entry, or None at the end: a block of zeros, or the end of the stream."""
        extensions: list[tuple[bytes, bytes | dict[str, str]]] = []
        first = None
        while (info := self._block()) is not None:
            if info.type != _GLOBAL and first is None:
                first = info.offset
            if info.type not in (_LONG_NAME, _LONG_LINK, _GLOBAL, *_PAX):
                return self._finished(info, extensions, info.offset if first is None else first)
            if len(extensions) >= MAX_EXTENSIONS:
                raise self._wrong(info, f"has more than {MAX_EXTENSIONS} extended headers before an entry")
            if info.type != _GLOBAL and any(info.type == kind for kind, _ in extensions):
                # GNU tar and Go's archive/tar use the last one, and Python's tarfile all of them.
                raise self._wrong(info, "has two extended headers of the same kind before an entry")
            extensions.append((info.type, self._extension(info)))
        if any(kind != _GLOBAL for kind, _ in extensions):
            raise MalformedError("is not a valid tar archive: it is truncated")
        return None

    def _block(self) -> tarfile.TarInfo | None:
        """Read one header block."""
        offset = self._stream.position
        block = self._stream.read(_BLOCK)
        if not block.strip(b"\0"):
            return None
        try:
            return _parsed(block, offset)
        except ValueError as error:
            raise MalformedError(f"is not a valid tar archive: broken header at byte {offset}: {error}") from error

    def _extension(self, info: tarfile.TarInfo) -> bytes | dict[str, str]:
        """Return the content of an extended header: a name, or a mapping of fields that begins with the fields of
        global headers.
        """
        if info.size > MAX_HEADER:
            raise self._wrong(info, f"has a header of more than {MAX_HEADER} bytes")
        data = self._stream.read(_padded(info.size))[: info.size]
        if len(data) != info.size:
            raise MalformedError("is not a valid tar archive: it is truncated")
        if info.type in (_LONG_NAME, _LONG_LINK):
            return data.partition(b"\0")[0]
        found = dict(_records(data, info.offset))
        if info.type != _GLOBAL:
            return {**self._globals, **found}
        self._globals |= found
        if sum(map(len, (*self._globals, *self._globals.values()))) > MAX_HEADER:
            raise self._wrong(info, f"has global headers of more than {MAX_HEADER} bytes")
        return {}

    def _finished(
        self, info: tarfile.TarInfo, extensions: list[tuple[bytes, bytes | dict[str, str]]], offset: int
    ) -> tarfile.TarInfo:
        """Return the entry with the fields of its extended headers. If a long name and a pax header set the same field,
        the first one counts.
        """
        stored = info.size
        real = self._pass_map(info) if info.type == _SPARSE else stored
        info.pax_headers = dict(self._globals)
        _apply(info, info.pax_headers)
        for kind, content in reversed(extensions):
            if kind == _LONG_NAME and isinstance(content, bytes):
                info.name = as_text(content)
            elif kind == _LONG_LINK and isinstance(content, bytes):
                info.linkname = as_text(content)
            elif kind in _PAX and isinstance(content, dict):
                info.pax_headers = content
                _apply(info, content)
        stored = _whole(info.pax_headers, "size", stored)
        real = _whole(info.pax_headers, "GNU.sparse.size", real if info.type == _SPARSE else stored)
        info.size = _whole(info.pax_headers, "GNU.sparse.realsize", real)
        if stored < 0 or info.size < 0:
            raise self._wrong(info, "has an entry of an impossible size")
        if info.isdir() or "path" in info.pax_headers:
            info.name = info.name.rstrip("/")
        info.offset, info.offset_data = offset, self._stream.position
        has_content = info.isreg() or info.type not in tarfile.SUPPORTED_TYPES
        self.stored = stored if has_content else 0
        return info

    def _pass_map(self, info: tarfile.TarInfo) -> int:
        """Skip the remaining map blocks of an old GNU sparse file, and return the size of the file.

        Source: GNU tar's manual, "Old GNU Format".
        """
        first = self._stream.headers[-1]
        more, length = first[482], 0
        while more:
            block = self._stream.read(_BLOCK)
            length += _BLOCK
            if not block:
                raise MalformedError("is not a valid tar archive: it is truncated")
            if length > MAX_HEADER:
                raise self._wrong(info, f"has a sparse map of more than {MAX_HEADER} bytes")
            more = block[504]
        try:
            return _number(first[483:495])
        except ValueError as error:
            raise self._wrong(info, f"has a sparse file of an odd size: {error}") from error

    @staticmethod
    def _wrong(info: tarfile.TarInfo, message: str) -> MalformedError:
        return MalformedError(f"{message} (at byte {info.offset})")


def _parsed(block: bytes, offset: int) -> tarfile.TarInfo:
    """Parse the fields of one block. Raises ValueError if it is not a header."""
    if not _is_checksum(_number(block[148:156]), block):
        raise ValueError("bad checksum")
    info = tarfile.TarInfo(_text(block[0:100]))
    info.offset = offset
    info.mode = _number(block[100:108])
    info.uid, info.gid = max(0, _number(block[108:116])), max(0, _number(block[116:124]))
    info.size, info.mtime = _number(block[124:136]), _number(block[136:148])
    info.type, info.linkname = block[156:157], _text(block[157:257])
    info.uname, info.gname = _text(block[265:297]), _text(block[297:329])
    info.devmajor, info.devminor = _number(block[329:337]), _number(block[337:345])
    prefix = _text(block[345:500])
    if info.type == tarfile.AREGTYPE and info.name.endswith("/"):
        info.type = tarfile.DIRTYPE
    if info.type == _SPARSE:
        info.sparse = b""  # what TarInfo.issparse() looks at
    elif prefix and info.type not in tarfile.GNU_TYPES:
        info.name = f"{prefix}/{info.name}"
    return info


def is_header(block: bytes) -> bool:
    """Return whether a block of 512 bytes is the header of an entry, by its checksum."""
    try:
        return len(block) == _BLOCK and bool(block.strip(b"\0")) and _is_checksum(_number(block[148:156]), block)
    except ValueError:
        return False


def _is_checksum(stated: int, block: bytes) -> bool:
    """Return whether ``stated`` is the sum of the bytes with the field as blanks: unsigned (POSIX) or signed."""
    others = (block[:148] + block[156:]).translate(None, b"\0")  # most bytes are zeros, which add nothing
    unsigned = 256 + sum(others)
    return stated == unsigned or stated == unsigned - 256 * sum(byte > 127 for byte in others)


def _text(field: bytes) -> str:
    return as_text(field.partition(b"\0")[0])


@lru_cache(maxsize=_MOST_FIELDS)
def _number(field: bytes) -> int:
    """Parse octal digits, or base 256 as GNU tar writes larger numbers. Raises ValueError."""
    if field[0] in (0o200, 0o377):
        value = int.from_bytes(field[1:], "big")
        return value - (256 ** (len(field) - 1) if field[0] == 0o377 else 0)
    digits = field.partition(b"\0")[0].strip()
    if not digits:
        return 0
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise ValueError("bad number")
    return int(digits, 8)


def _records(data: bytes, offset: int) -> Iterator[tuple[str, str]]:
    """Yield the records of a pax header, "LENGTH KEY=VALUE" with a newline (POSIX.1-2001, pax, Extended Header)."""
    position = 0
    while position < len(data) and data[position]:
        space = data.find(b" ", position, position + _MOST_DIGITS)
        digits = data[position : max(space, position)]
        end = position + int(digits) if digits.isdigit() else 0
        record = data[space + 1 : end]
        key, equals, value = record[:-1].partition(b"=")
        if end > len(data) or not (key and equals and record.endswith(b"\n")):
            raise MalformedError(f"is not a valid tar archive: broken extended header at byte {offset}")
        yield as_text(key), as_text(value)
        position = end


def _apply(info: tarfile.TarInfo, fields: Mapping[str, str]) -> None:
    """Set the fields of a pax header."""
    if not fields:
        return
    info.name = fields.get("GNU.sparse.name", fields.get("path", info.name))
    info.linkname = fields.get("linkpath", info.linkname)
    info.uname, info.gname = fields.get("uname", info.uname), fields.get("gname", info.gname)
    info.uid, info.gid = max(0, _whole(fields, "uid", info.uid)), max(0, _whole(fields, "gid", info.gid))
    if "mtime" in fields:
        try:
            info.mtime = float(fields["mtime"])
        except ValueError:
            info.mtime = 0
    # GNU tar's sparse formats 0.0, 0.1 and 1.0; its manual describes how they differ.
    version = fields.get("GNU.sparse.major"), fields.get("GNU.sparse.minor")
    if "GNU.sparse.size" in fields or "GNU.sparse.map" in fields or version == ("1", "0"):
        info.sparse = b""


def _whole(fields: Mapping[str, str], key: str, default: int) -> int:
    """Return a field that is a whole number, ``default`` if it is missing, or -1 if it is malformed."""
    text = fields.get(key)
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else -1


def _padded(size: int) -> int:
    return size + -size % _BLOCK


def parts_of(name: str) -> list[str]:
    """Return the components of an entry's name. Raises MalformedError if it could lead out of the tree."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise MalformedError(f"has an entry called {name!r}, which could lead out of the tree")
    if len(parts) > MAX_DEPTH:
        raise MalformedError(f"has an entry that is more than {MAX_DEPTH} directories deep")
    return parts
