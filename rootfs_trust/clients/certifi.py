"""Python's requests, pip and other programs that read the ``cacert.pem`` of certifi, through OpenSSL."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.clients.client import Client, ClientType, OpenSslOptions
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.openssl import by_bundle, default_options
from rootfs_trust.runtimes.find import CERTIFI

_SYSTEM = ("/usr/lib", "/usr/local/lib")

TYPE = ClientType(
    "certifi",
    "openssl",
    "Python's requests, pip",
    "`certifi/cacert.pem` of the first Python environment; others are clients named `certifi:PATH`",
    "certifi",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``certifi`` if the rootfs has its file ``cacert.pem``, and ``certifi:PATH`` for each other copy."""
    paths = stores(reading)
    if not paths:
        return
    first = reading.named("REQUESTS_CA_BUNDLE") or reading.named("CURL_CA_BUNDLE") or paths[0]
    yield _client(reading, "", first, paths[0])
    for each in _apart(reading, paths):
        yield _client(reading, each, each, each)


def _client(reading: FileReader, named: str, path: str, python: str) -> Client:
    """Return a client that reads the bundle at ``path``, with the path ``named`` in its name. The path ``python``
    contains the version of Python.
    """
    recent = _since_3_13(python)
    options = OpenSslOptions(recent, recent, san=True, level=default_options(reading).level)
    return TYPE.client(lambda _: by_bundle(reading, path), options=options, path=named)


def _apart(reading: FileReader, paths: list[str]) -> list[str]:
    """Return the bundles except the first one, without duplicates."""
    reals = {reading.view.real_path(path): path for path in reversed(paths)}
    return [path for path in paths[1:] if reals[reading.view.real_path(path)] == path]


def stores(reading: FileReader) -> list[str]:
    """Return every ``cacert.pem`` of certifi, of its vendored copies and of botocore. The one of the system's Python
    comes first.
    """
    found = [path for path in reading.runtimes.paths(CERTIFI) if reading.is_file(path)]
    return sorted(found, key=lambda path: (not path.startswith(_SYSTEM), "/_vendor/" in path, "/botocore/" in path))


def _since_3_13(path: str) -> bool:
    """Return whether this is Python 3.13 or later, whose urllib3 and ssl use VERIFY_X509_STRICT and PARTIAL_CHAIN."""
    version = path.partition("/python3.")[2].partition("/")[0]
    return version.isdecimal() and int(version) >= 13
