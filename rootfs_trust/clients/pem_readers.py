"""Parse PEM the way clients other than OpenSSL do: they differ in what they ignore, skip or refuse.

Sources: rustls-pemfile 1.0.4 and rustls-pki-types 1.14 (their line readers are one family), Decode of Go 1.26's
encoding/pem and CertPool.AppendCertsFromPEM, GnuTLS 3.7.9 (gnutls_x509_crt_list_import). All take linear time.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import Certificate, parse_certificate

_LINE = re.compile(rb"[^\r\n]*[\r\n]?")
_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_CERTIFICATE = b"CERTIFICATE"
_NEXT_END = b"\n" + _END
_GNUTLS_BODY = re.compile(rb"-----(.*?)-----END ", re.DOTALL)


class Section(NamedTuple):
    """A certificate's DER, or the reason why it cannot be parsed."""

    der: bytes
    fault: str = ""


def rust_sections(data: bytes, *, decodes_all: bool = False) -> Iterator[Section]:
    """Yield CERTIFICATE sections as rustls's readers do: lines end with LF or CR, a BOM hides the first BEGIN.

    ``decodes_all``: rustls-pemfile 1 decodes sections of every label, and stops at a malformed one.
    """
    label: bytes | None = None
    body: list[bytes] = []
    for line in _LINE.findall(data):
        if line.startswith(_BEGIN):
            text = line.rstrip(b"\r\n ")
            label, body = text[len(_BEGIN) : -len(_DASHES)], []
            if not text.endswith(_DASHES) or text.endswith(b"-" + _DASHES):
                yield Section(b"", f"its line {_shown(text)} begins no PEM section")
                label = None
        elif label is not None and line.startswith(_END + label + _DASHES):
            if label == _CERTIFICATE or decodes_all:
                section = _decoded(b"".join(body))
                if section.fault or label == _CERTIFICATE:
                    yield section
            label = None
        elif label is not None:
            body.append(line.strip(b"\r\n "))
    if label is not None:
        yield Section(b"", f"the end of its section {_shown(label)} is missing")


def go_certificates(data: bytes) -> list[Certificate]:
    """Return the certificates that AppendCertsFromPEM adds to a pool. It silently skips others."""
    found = []
    for label, has_headers, der in _go_blocks(data):
        if label == _CERTIFICATE and not has_headers:
            found += parsed(der)
    return found


def _go_blocks(data: bytes) -> Iterator[tuple[bytes, bool, bytes]]:
    """Yield label, whether there are headers, and content of each block: from an END line back to the last BEGIN."""
    start = 0
    while (end := data.find(_NEXT_END, start)) >= 0:
        begin, trailer = data.rfind(_BEGIN, start, end), end + len(_NEXT_END)
        found, start = begin == start or (begin > start and data[begin - 1 : begin] == b"\n"), trailer
        if found:
            position, block = _go_block(data, begin + len(_BEGIN), end, trailer)
            if block:
                yield block
                start = _go_line(data, trailer - 1)[1]
            elif position > trailer:
                return  # headers lead past the END: Decode gives up


def _go_block(data: bytes, begin: int, end: int, trailer: int) -> tuple[int, tuple[bytes, bool, bytes] | None]:
    """Return the position after the header lines of a block, and the block, or None if it is malformed."""
    first, position = _go_line(data, begin)
    if not first.endswith(_DASHES):
        return position, None
    label, body = first.removesuffix(_DASHES), position
    line, following = _go_line(data, position)
    while b":" in line:
        position = following
        line, following = _go_line(data, position)
    ends = data.startswith(label + _DASHES, trailer) and not _go_line(data, trailer + len(label + _DASHES))[0]
    if position > end + (position == body) or not ends:
        return position, None
    section = _decoded(data[position:end].translate(None, b" \t\r\n"))
    return position, None if section.fault else (label, position > body, section.der)


def _go_line(data: bytes, start: int) -> tuple[bytes, int]:
    """Return the line at ``start`` without its line ending, and the position of the next line."""
    end = data.find(b"\n", start)
    line = data[start:end] if end >= 0 else data[start:]
    return line.removesuffix(b"\r").rstrip(b" \t"), end + 1 or len(data)


def gnutls_sections(data: bytes) -> Iterator[Section]:
    """Yield blocks as GnuTLS does: it searches for their text anywhere; the first malformed one fails the whole file.

    X509 CERTIFICATE counts only where no CERTIFICATE follows, or in the place of a bad one before it: each search
    begins at the last block and takes CERTIFICATE first (gnutls_x509_crt_list_import, gnutls_x509_crt_import).
    """
    plain, other = _GnutlsBlocks(data, _CERTIFICATE), _GnutlsBlocks(data, b"X509 CERTIFICATE")
    position = 0
    while (begin := plain.next(position)) >= 0 or (begin := other.next(position)) >= 0:
        section = plain.section(begin)
        if section.fault:
            instead = other.section(begin)
            section = section if instead.fault else instead
        yield section
        if section.fault:
            return
        position = begin + 1


class _GnutlsBlocks:
    """The blocks with one label. The last one is remembered: searches from many positions may find the same."""

    def __init__(self, data: bytes, label: bytes) -> None:
        self._data, self._text = data, _BEGIN + label
        self._begin = data.find(self._text)
        self._section: tuple[int, Section] = -1, Section(b"", "a PEM block in it has no end")

    def next(self, position: int) -> int:
        """Return where the first block after ``position`` begins, or -1. Positions must not decrease."""
        if 0 <= self._begin < position:
            self._begin = self._data.find(self._text, position)
        return self._begin

    def section(self, position: int) -> Section:
        """Return the first block after ``position``, up to the next BEGIN."""
        if self.next(position) != self._section[0]:
            self._section = self._begin, self._read(self._begin + len(self._text))
        return self._section[1]

    def _read(self, begin: int) -> Section:
        if self._begin < 0:
            return Section(b"", "a PEM block in it has no end")
        end = self._data.find(_BEGIN, begin)
        body = _GNUTLS_BODY.match(self._data, begin, end if end >= 0 else len(self._data))
        return _decoded(re.sub(rb"\s", b"", body[1])) if body else Section(b"", "a PEM block in it has no end")


def parsed(der: bytes) -> list[Certificate]:
    """Return a list with the parsed certificate, or an empty list if it cannot be parsed."""
    try:
        return [parse_certificate(der)]
    except MalformedError:
        return []


def _decoded(digits: bytes) -> Section:
    try:
        return Section(a2b_base64(digits, strict_mode=True))
    except Base64Error:
        return Section(b"", "a PEM block in it is not base64")


def _shown(text: bytes) -> str:
    return ascii(text.decode("latin-1"))
