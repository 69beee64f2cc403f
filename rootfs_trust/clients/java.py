"""Java's programs: they use the system's keystore ``cacerts``, or the keystore of a JDK."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rootfs_trust.clients.client import Client, ClientAnchor, ClientType, FoundAnchors, fixed
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.pkcs12 import keystore_certificates
from rootfs_trust.clients.table import JAVA_STORES
from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.view import read
from rootfs_trust.runtimes.find import JAVA

_OPTIONS = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
_TRUST_STORE = re.compile(r"-Djavax\.net\.ssl\.trustStore=(\S+)")

TYPE = ClientType(
    "java",
    "java",
    "programs on a JVM",
    "the keystore of the system, else that of the first JDK; others are clients named `java:PATH`",
    "JSSE Reference Guide",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``java`` if the rootfs has a keystore, and ``java:PATH`` for each other keystore."""
    path = default_store(reading)
    if path is None:
        return
    yield TYPE.client(fixed(by_keystore(reading, path)))
    for each in stores_apart(reading, path):
        yield TYPE.client(fixed(by_keystore(reading, each)), path=each)


def default_store(reading: FileReader) -> str | None:
    """Return the keystore that Java is configured to use, or else the system's keystore, or else the keystore of the
    first JDK.
    """
    return _named(reading) or reading.first_file(*JAVA_STORES, *own_stores(reading))


def stores_apart(reading: FileReader, path: str) -> list[str]:
    """Return the keystores of the rootfs except the one at ``path``, without duplicates."""
    reals = {reading.view.real_path(path): path}
    for each in (*JAVA_STORES, *own_stores(reading)):
        reals.setdefault(reading.view.real_path(each), each)
    return [each for real, each in reals.items() if real is not None and each != path]


def _named(reading: FileReader) -> str | None:
    """Return the trust store that an option of Java names."""
    options = " ".join(reading.named(name) or "" for name in _OPTIONS)
    match = _TRUST_STORE.search(options)
    return match[1] if match else None


def own_stores(reading: FileReader) -> list[str]:
    """Return the keystore paths of JDKs and JREs. Many are links to the system's keystore."""
    return [path for path in reading.runtimes.paths(JAVA) if reading.is_file(path)]


def by_keystore(reading: FileReader, path: str) -> FoundAnchors:
    """Return the certificates of a keystore, JKS or PKCS #12."""
    data = read(reading.view, path) or b""
    try:
        certificates = keystore_certificates(data)
    except MalformedError as error:
        return FoundAnchors((), path, (f"{path} cannot be read: {error.message}",))
    return FoundAnchors(tuple(ClientAnchor(each, path) for each in certificates), path)
