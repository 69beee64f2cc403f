"""Parse and write PEM the way OpenSSL does, line by line.

RFC 7468 defines the format; PEM_read_bio_ex, get_name, get_header_and_data and
sanitize_line in crypto/pem/pem_lib.c, and EVP_DecodeUpdate in crypto/evp/encode.c, define what OpenSSL accepts.
Unusual input is parsed exactly as OpenSSL does, since one malformed block makes OpenSSL reject the whole file:

- a line has at most 254 bytes (longer ones are read as several), and ends at its first NUL;
- a line that begins with NUL is the end of the file;
- at the end of a line, all bytes up to the space are dropped, and those from 0x80 on too (chars are signed);
- lines before an empty one are a header, and after one no line may be longer than 64.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rootfs_trust.errors import MalformedError

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_NEXT_END = b"\n" + _END
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_READ = 254  # LINESIZE - 1 of pem_lib.c
_LONGEST_AFTER_HEADER = 64
_DROPPED_AT_END = bytes((*range(0x21), *range(0x80, 0x100)))
_WHITE_SPACE = b" \t\r\n"
_NO_HEADER = frozenset((b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE", b"X509 CRL"))


class Block(NamedTuple):
    """One block: its label, its content, the line of its BEGIN (from 1), and its header, which is usually empty."""

    label: str
    der: bytes
    line: int
    header: bytes = b""


class BadBlock(NamedTuple):
    """A block that OpenSSL cannot parse: label, line of its BEGIN, and the reason."""

    label: str
    line: int
    reason: str


def blocks(data: bytes) -> list[Block | BadBlock]:
    """Return every block that OpenSSL finds in a file, valid or malformed, in order.

    Text around blocks is ignored, and so are lines that only resemble a BEGIN; see :func:`unrecognized_begin_lines`.
    """
    found: list[Block | BadBlock] = []
    pos, line, counted = 0, 1, 0
    while (begin := data.find(_BEGIN, pos)) >= 0:
        line += data.count(b"\n", counted, begin)
        plain = _plain_block(data, pos, begin, line)
        if plain is None:
            return [*found, *_odd_blocks(_Lines(data, pos, line - data.count(b"\n", pos, begin)))]
        block, pos = plain
        counted = begin
        found.append(block)
    return found


def _plain_block(data: bytes, pos: int, begin: int, line: int) -> tuple[Block, int] | None:
    """Return a block in the usual format and the position after it, or None if anything about it is unusual.

    The usual format has no header and lines of 64 characters, so every 65th byte and no other is a newline. If the last
    line has 64 characters, no empty line follows it. This is only a fast path: parsing such a block line by line gives
    the same result.
    """
    first = data.find(b"\n", begin) + 1
    last = data.find(_NEXT_END, first)
    behind_begin = data[begin + len(_BEGIN) : first]  # the same text must follow END
    if last < 0 or not data.startswith(behind_begin, last + len(_NEXT_END)):
        return None
    label, body = behind_begin[: -len(_DASHES) - 1], data[first:last]
    digits = body.replace(b"\n", b"")
    ordinary = (
        body[64::65] == b"\n" * (len(body) - len(digits))
        and not body.endswith(b"\n")
        and behind_begin.endswith(b"-----\n")
        and len(label) < 100
        and label.replace(b" ", b"").isalnum()
        and (begin == pos or _is_plain_text(data[pos:begin]))
    )
    if not ordinary:
        return None
    try:
        der = _decode(digits)
    except MalformedError:
        return None
    return Block(label.decode(), der, line), last + len(_NEXT_END) + len(behind_begin)


def _is_plain_text(text: bytes) -> bool:
    """Return whether the text before a block ends with a newline, and has no line that OpenSSL reads in pieces."""
    return text.endswith(b"\n") and b"\0" not in text and max(map(len, text.split(b"\n"))) < _LONGEST_READ


class _Lines:
    """The lines of a file, cut as OpenSSL's file BIO returns them (BIO_gets with a buffer of 255 bytes)."""

    def __init__(self, data: bytes, pos: int, line: int) -> None:
        self._data = data
        self._pos = pos
        self._next_line = line
        self.line = line

    def next(self) -> bytes:
        """Return the next line or part of a line, with its newline; empty at the end, or what OpenSSL treats as the
        end.
        """
        stop = self._data.find(b"\n", self._pos, self._pos + _LONGEST_READ) + 1 or self._pos + _LONGEST_READ
        piece = self._data[self._pos : stop]
        self._pos = stop
        self.line = self._next_line
        self._next_line += piece.endswith(b"\n")
        return piece.partition(b"\0")[0]


def _odd_blocks(lines: _Lines) -> Iterator[Block | BadBlock]:
    while (label := _next_label(lines)) is not None:
        line = lines.line
        shown = label.decode("latin-1")
        try:
            header, der = _read_body(lines, label)
            if header and label in _NO_HEADER:
                raise MalformedError("it has a header")
        except MalformedError as error:
            yield BadBlock(shown, line, error.message)
        else:
            yield Block(shown, der, line, header)


def _next_label(lines: _Lines) -> bytes | None:
    """Skip to the next BEGIN line and return its label; None at the end of the file."""
    piece = lines.next()
    if len(piece) > len(_BYTE_ORDER_MARK):
        piece = piece.removeprefix(_BYTE_ORDER_MARK)
    while piece:
        text = piece.rstrip(_DROPPED_AT_END)
        if text.startswith(_BEGIN) and text.endswith(_DASHES):
            return text[len(_BEGIN) : -len(_DASHES)]
        piece = lines.next()
    return None


def _read_body(lines: _Lines, label: bytes) -> tuple[bytes, bytes]:
    """Read up to and including the END line; return header and decoded body."""
    above: list[bytes] = []
    below: list[bytes] | None = None
    has_colon = partial = short = False
    while piece := lines.next():
        was_partial, partial = partial, len(piece) == _LONGEST_READ and not piece.endswith(b"\n")
        has_colon |= below is None and b":" in piece
        text = piece.rstrip(_DROPPED_AT_END)
        if text.startswith(_END):
            if text != _END + label + _DASHES:
                raise MalformedError("its END line has another label")
            if below is None:
                above, below = (above, []) if has_colon else ([], above)
            return b"\n".join(above), _decode(_base64_text(below))
        if not text:
            # After a partial line this is only the newline of that line.
            if not was_partial:
                if below is not None:
                    raise MalformedError("it contains an empty line")
                below = []
        elif short or (below is not None and len(text) > _LONGEST_AFTER_HEADER):
            raise MalformedError("after an empty line it has lines of other than 64 characters")
        elif below is None:
            above.append(text)
        else:
            below.append(text)
            short = len(text) < _LONGEST_AFTER_HEADER
    raise MalformedError("its END line is missing")


def _base64_text(lines: list[bytes]) -> bytes:
    """Return the base64 digits of some lines, up to the first dash, at which EVP_DecodeUpdate stops."""
    return b"\n".join(lines).partition(b"-")[0].translate(None, _WHITE_SPACE)


def _decode(digits: bytes) -> bytes:
    """Decode base64 without white space."""
    if not digits:
        raise MalformedError("it is empty, or it contains an empty line")
    if len(digits) % 4 or digits.endswith(b"==="):
        raise MalformedError("its base64 is truncated")
    try:
        return a2b_base64(digits, strict_mode=True)
    except Base64Error:
        raise MalformedError("it is not base64") from None


def unrecognized_begin_lines(data: bytes, read: Iterable[Block | BadBlock] | None = None) -> list[BadBlock]:
    """Return the lines that OpenSSL silently ignores, although their author may have meant them as BEGIN lines.

    ``read`` are the :func:`blocks` of ``data``, if the caller has them.

    These are indented ones, some with surrounding text, those inside another block, and all in files of UTF-16 or with
    the line endings of the old Macintosh.
    """
    seen = {block.line for block in (blocks(data) if read is None else read)}
    found, pos, line = [], 0, 1
    text = data.replace(b"\0", b"")
    while (begin := text.find(_BEGIN, pos)) >= 0:
        line += text.count(b"\n", pos, begin)
        if line not in seen:
            rest = text[begin + len(_BEGIN) : begin + _LONGEST_READ] + b"\n"
            label = rest.splitlines()[0].partition(_DASHES)[0]
            found.append(BadBlock(label.decode("latin-1"), line, "OpenSSL does not see its BEGIN line"))
        seen.discard(line)  # a second one in the same line is ignored
        pos = begin + len(_BEGIN)
    return found


def encode(der: bytes, label: str = "CERTIFICATE") -> bytes:
    """Return one block: lines of 64 characters that end with LF (RFC 7468, section 2)."""
    body = b"".join(b2a_base64(der[n : n + 48]) for n in range(0, len(der), 48))
    shown = label.encode()
    return _BEGIN + shown + b"-----\n" + body + _END + shown + b"-----\n"
