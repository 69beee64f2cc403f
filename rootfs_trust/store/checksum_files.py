"""Checksum files that apko writes next to the trust stores of an image, and that a run updates together with the
stores.

One line as ``sha256sum`` writes it, in ``.NAME.sha256`` in the directory of NAME (apko, pkg/build/certificates.go).
Scanners compare the store with it.
"""

from __future__ import annotations

from hashlib import sha256

from rootfs_trust.rootfs.view import Desired, File, View, join, parent


def checksum_file_of(path: str) -> str:
    """Return the path of the checksum file for ``path``."""
    return join(parent(path), f".{path.rpartition('/')[2]}.sha256")


def checksum(path: str, data: bytes) -> bytes:
    """Return the content of the checksum file for ``path``."""
    return f"{sha256(data).hexdigest()}  {path.rpartition('/')[2]}\n".encode("utf-8", "surrogateescape")


def updated_checksum_files(view: View, desired: Desired) -> dict[str, File]:
    """Return the existing checksum files of ``desired`` files, with their new content."""
    return {
        checksum_file: File(checksum(path, node.content))
        for path, node in desired.items()
        if isinstance(node, File) and view.kind(checksum_file := checksum_file_of(path)) is File
    }
