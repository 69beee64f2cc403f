"""Add certificates to a foreign PEM file, in a marked block at its end.

The block begins with a blank line and :data:`BEGIN` and ends with :data:`END`; a comment names each certificate. PEM
readers ignore what is outside of certificates (RFC 7468, 2). The rest of the file stays unchanged, byte for byte, so
removing the block restores the original file.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.runtimes.request import RuntimeRequest
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509 import Certificate, encode, parse_certificate

BEGIN = b"# rootfs-trust: begin of the certificates that rootfs-trust added\n"
END = b"# rootfs-trust: end\n"
_NAME = b"# rootfs-trust: "

_NAMED = re.compile(
    re.escape(_NAME)
    + rb"([A-Za-z0-9._-]+)\n(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n)"
)
_CERTIFICATE = re.compile(
    rb"^-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----[ \t\r]*\n?",
    re.MULTILINE,
)


class PemFile(NamedTuple):
    """A file in two parts: the foreign bytes, and the certificates in the block by name."""

    others: bytes
    ours: dict[str, Certificate]

    @property
    def digests(self) -> frozenset[str]:
        """SHA-256 of the foreign certificates."""
        return frozenset(sha256(der).hexdigest() for der in map(_der, _CERTIFICATE.finditer(self.others)))

    def wanted(self, request: RuntimeRequest) -> list[Anchor]:
        """Return the certificates for the block by name: those of earlier runs and of ``request``, except those that
        the foreign bytes contain.
        """
        kept = {name: Anchor(name, certificate, "") for name, certificate in self.ours.items()}
        asked = kept | {anchor.name: anchor for anchor in request.anchors}
        unwanted = request.removed | (self.digests if asked else frozenset())
        once = {anchor.certificate.sha256: anchor for anchor in asked.values()}
        return [anchor for sha256, anchor in once.items() if sha256 not in unwanted]

    def without(self, digests: Iterable[str]) -> bytes:
        """Return the foreign bytes without the certificates with these SHA-256, and without the comments above them."""
        unwanted, kept, end = frozenset(digests), [], 0
        for match in _CERTIFICATE.finditer(self.others):
            if sha256(_der(match)).hexdigest() in unwanted:
                kept.append(self.others[end : _first_comment(self.others, match.start())])
                end = match.end()
        return b"".join((*kept, self.others[end:]))


def read_pem_file(data: bytes) -> PemFile:
    """Split a file into the foreign bytes and the block. Raises MalformedError if somebody has changed the block."""
    begin = data.find(b"\n" + BEGIN)
    end = data.find(END, begin)
    if begin < 0 or end < 0:
        if BEGIN in data or END in data:
            raise MalformedError("has a block of rootfs-trust whose first or last line was moved")
        return PemFile(data, {})
    block, others = data[begin + 1 + len(BEGIN) : end], data[:begin] + data[end + len(END) :]
    if _NAMED.sub(b"", block) or BEGIN in others or END in others:
        raise MalformedError("has a block of rootfs-trust that was changed by hand")
    return PemFile(others, {name.decode(): _parsed(pem) for name, pem in _NAMED.findall(block)})


def _first_comment(data: bytes, start: int) -> int:
    """Return where the comment lines directly above the line at ``start`` begin. certifi and curl write such lines."""
    while start and data.startswith(b"#", line := data.rfind(b"\n", 0, start - 1) + 1):
        start = line
    return start


def with_block(others: bytes, anchors: Iterable[Anchor]) -> bytes:
    """Return ``others`` with a block of ``anchors`` at its end, in the order of their names; no block without
    anchors.
    """
    named = sorted(anchors, key=lambda anchor: anchor.name)
    if not named:
        return others
    lines = (_NAME + anchor.name.encode() + b"\n" + encode(anchor.certificate.der) for anchor in named)
    return b"".join((others, b"\n", BEGIN, *lines, END))


def _parsed(pem: bytes) -> Certificate:
    try:
        der = a2b_base64(b"".join(pem.splitlines()[1:-1]))
    except Error as error:
        raise MalformedError("has a block of rootfs-trust that was changed by hand") from error
    return parse_certificate(der)


def _der(match: re.Match[bytes]) -> bytes:
    try:
        return a2b_base64(match[1])
    except Error:
        return b""
