"""Parse PEM the way clients other than OpenSSL do: they differ in what they ignore, skip or refuse.

Sources: rustls-pemfile 1.0.4 and rustls-pki-types 1.14 (their line readers are one family), Go's encoding/pem and
CertPool.AppendCertsFromPEM, GnuTLS 3.7.9 (gnutls_x509_crt_list_import).
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import Certificate, parse_certificate

_LINE = re.compile(rb"[^\r\n]*[\r\n]?")
_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_CERTIFICATE = b"CERTIFICATE"
_GO_BLOCK = re.compile(
    rb"(?:\A|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n(.*?)(?<=\n)-----END \1-----[ \t\r]*(?=\n|\Z)", re.DOTALL
)
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
    """Return what AppendCertsFromPEM adds to a pool. It silently skips everything that it cannot parse."""
    found = []
    for label, body in _GO_BLOCK.findall(data):
        if label == _CERTIFICATE and b":" not in body:
            section = _decoded(re.sub(rb"\s", b"", body))
            found += [] if section.fault else parsed(section.der)
    return found


def gnutls_sections(data: bytes) -> Iterator[Section]:
    """Yield blocks as GnuTLS does: it searches for their text anywhere; the first malformed one fails the whole file.

    X509 CERTIFICATE counts only where no CERTIFICATE follows, or in the place of a bad one before it: each search
    begins at the last block and takes CERTIFICATE first (gnutls_x509_crt_list_import, gnutls_x509_crt_import).
    """
    position = _gnutls_next(data, 0)
    while position >= 0:
        section = _gnutls_block(data, position, _CERTIFICATE)
        if section.fault:
            other = _gnutls_block(data, position, b"X509 CERTIFICATE")
            section = section if other.fault else other
        yield section
        position = _gnutls_next(data, position + 1)


def _gnutls_next(data: bytes, position: int) -> int:
    found = data.find(_BEGIN + _CERTIFICATE, position)
    return found if found >= 0 else data.find(_BEGIN + b"X509 CERTIFICATE", position)


def _gnutls_block(data: bytes, position: int, label: bytes) -> Section:
    """Return the first block with ``label`` after ``position``, up to the next BEGIN."""
    begin = data.find(_BEGIN + label, position)
    if begin < 0:
        return Section(b"", "a PEM block in it has no end")
    begin += len(_BEGIN + label)
    end = data.find(_BEGIN, begin)
    body = _GNUTLS_BODY.match(data, begin, end if end >= 0 else len(data))
    return _decoded(re.sub(rb"\s", b"", body[1])) if body else Section(b"", "a PEM block in it has no end")


def parsed(der: bytes) -> list[Certificate]:
    """Return the certificate in a list, or an empty list."""
    try:
        return [_certificate(der)]
    except MalformedError:
        return []


@lru_cache(1024)
def _certificate(der: bytes) -> Certificate:
    """Parse a certificate. Cached, because several clients read it."""
    return parse_certificate(der)


def _decoded(digits: bytes) -> Section:
    try:
        return Section(a2b_base64(digits, strict_mode=True))
    except Base64Error:
        return Section(b"", "a PEM block in it is not base64")


def _shown(text: bytes) -> str:
    return ascii(text.decode("latin-1"))
