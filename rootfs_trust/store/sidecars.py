"""Checksums that apko writes beside the trust stores of an image: they are renewed with what they describe.

One line as ``sha256sum`` writes it, in ``.NAME.sha256`` in the directory of NAME (apko, pkg/build/certificates.go).
Scanners hold the store against it.
"""

from __future__ import annotations

from hashlib import sha256

from rootfs_trust.rootfs.view import Desired, File, View, join, parent


def sidecar_of(path: str) -> str:
    """Where the checksum of the file at ``path`` would be."""
    return join(parent(path), f".{path.rpartition('/')[2]}.sha256")


def checksum(path: str, data: bytes) -> bytes:
    """The content of the sidecar of ``path``."""
    return f"{sha256(data).hexdigest()}  {path.rpartition('/')[2]}\n".encode("utf-8", "surrogateescape")


def sidecars(view: View, desired: Desired) -> dict[str, File]:
    """The sidecars that the tree has of files that are ``desired``, with their new checksums."""
    return {
        sidecar: File(checksum(path, node.content))
        for path, node in desired.items()
        if isinstance(node, File) and view.kind(sidecar := sidecar_of(path)) is File
    }
