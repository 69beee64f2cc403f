"""Programs on Mono: the certificates of its machine store.

Since Mono 4.8 TLS is BoringSSL's (BTLS), which reads ``new-certs/Trust``; every file of it is named after OpenSSL's
subject hash (mono-btls, X509LookupMono).
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.clients.client import Client, FoundAnchors, OpenSslOptions, fixed
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.runtimes import mono

_NOTE = "judged by the rules of OpenSSL, from which its library comes"


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``mono`` if the rootfs has it."""
    if mono.is_installed(reading.view):
        yield Client("mono", "openssl", fixed(machine_store(reading)), _NOTE, OpenSslOptions(san=True, level=1))


def machine_store(reading: FileReader) -> FoundAnchors:
    """Return the certificates of ``new-certs/Trust``."""
    files = [file for path in reading.files_in(mono.BTLS) if (file := reading.openssl_linked(path))]
    return FoundAnchors(tuple(anchor for file in files for anchor in file.anchors), mono.BTLS)
