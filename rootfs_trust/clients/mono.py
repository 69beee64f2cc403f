"""Programs that run on Mono: they trust the certificates of its machine store.

Since Mono 4.8 TLS is BoringSSL's (BTLS), which looks for HASH.0, HASH.1, ... in ``new-certs/Trust`` as OpenSSL does in
a hash directory. Observed with Mono 6.8: it uses no file with another name, and none after a missing number.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.clients.client import Client, ClientType, OpenSslOptions
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.openssl import by_directories
from rootfs_trust.runtimes import mono

_NOTE = "evaluated by the rules of OpenSSL, on which its library is based"

TYPE = ClientType(
    "mono",
    "openssl",
    "programs on Mono",
    "its machine store `/usr/share/.mono/new-certs/Trust`",
    "cert-sync of Mono",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``mono`` if the rootfs has it."""
    if mono.is_installed(reading.view):
        find = by_directories(reading, (mono.BTLS,))
        yield TYPE.client(find, _NOTE, OpenSslOptions(san=True, level=1))
