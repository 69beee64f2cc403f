"""Certificates that only a bundle holds: rebuilding it from the sources would lose them in silence. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from rootfs_trust.errors import MalformedError, Trouble
from rootfs_trust.store.source import Source
from rootfs_trust.x509 import Certificate, parse_certificate, pem


def unsourced(bundle: str, data: bytes | None, sources: Iterable[Source]) -> list[Trouble]:
    """A conflict for each certificate of the bundle's ``data`` that none of ``sources`` holds."""
    if not data:
        return []
    known = {certificate.der for source in sources for certificate in source.certificates}
    return [_conflict(bundle, each) for each in _others(data, known)]


def _others(data: bytes, known: set[bytes]) -> list[Certificate]:
    """The certificates of ``data`` not in ``known``, each once; blocks that nothing can read have no trust."""
    others: dict[bytes, Certificate] = {}
    for der in _in_blocks(data):
        if der not in known:
            try:
                certificate = parse_certificate(der, trailing=True)
            except MalformedError:
                continue
            if certificate.der not in known:
                others[certificate.der] = certificate
    return list(others.values())


@functools.lru_cache(maxsize=4)  # most of a thousand trees have the same bundle, of some hundred kilobytes
def _in_blocks(data: bytes) -> tuple[bytes, ...]:
    """What the certificate blocks of a bundle hold, fit or not."""
    found = (block for block in pem.blocks(data) if isinstance(block, pem.Block))
    return tuple(block.der for block in found if block.label.endswith("CERTIFICATE"))


def _conflict(bundle: str, certificate: Certificate) -> Trouble:
    return Trouble(
        "conflict",
        bundle,
        f"holds {certificate.subject.text} (sha256 {certificate.sha256}), which no "
        "source file of the rootfs holds: it would be lost",
        "give it as a certificate too, or let it go with --drop-unsourced",
    )
