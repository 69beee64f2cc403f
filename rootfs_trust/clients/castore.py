"""Programs in Erlang and Elixir that read the bundle of castore, or of Erlang's certifi."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.clients.client import Client, ClientType, OpenSslOptions, fixed
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.openssl import by_bundle, default_options
from rootfs_trust.runtimes.castore import module_with_roots
from rootfs_trust.runtimes.find import CASTORE

_NOTE = "evaluated by the rules of OpenSSL, which are the closest"
_COMPILED = "; certifi:cacerts/0 returns the roots that were compiled in, not this bundle"

TYPE = ClientType(
    "castore",
    "openssl",
    "programs in Erlang and Elixir",
    "`castore/priv/cacerts.pem`, or that of Erlang's certifi; each is a client named `castore:PATH`",
    "castore, certifi of Erlang",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``castore:PATH`` for each bundle of the rootfs."""
    options = OpenSslOptions(san=True, level=default_options(reading).level)
    for path in stores(reading):
        note = _NOTE + (_COMPILED if module_with_roots(reading.view, path) else "")
        yield TYPE.client(fixed(by_bundle(reading, path)), note, options, path=path)


def stores(reading: FileReader) -> list[str]:
    """Return the path of each bundle, in byte order."""
    return [path for path in reading.runtimes.paths(CASTORE) if reading.is_file(path)]
