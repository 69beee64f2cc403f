"""Java's programs: the keystore ``cacerts`` of the system, or the one that a JDK brought along."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.clients.client import Anchor, Client, Found, fixed
from rootfs_trust.audit.clients.pem_readers import parsed
from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.audit.pkcs12 import read_pkcs12
from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.nodes import join, read
from rootfs_trust.store.jks import read_keystore
from rootfs_trust.x509 import looks_like_pkcs12, parse_certificate

STORES = (
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
    "/etc/pki/java/cacerts",
    "/var/lib/ca-certificates/java-cacerts",
    "/etc/ca-certificates/extracted/java-cacerts.jks",
)
"""Those that the distributions keep, and to which their JDKs are linked."""

_JDKS = ("/usr/lib/jvm", "/opt", "/usr/local")
_OF_A_JDK = ("lib/security/cacerts", "jre/lib/security/cacerts")


def clients(reading: Reading) -> Iterator[Client]:
    """``java``, where the tree has a keystore."""
    store = reading.first_file(*STORES)
    own = own_stores(reading)
    path = store or next(iter(own), None)
    if path is None:
        return
    apart = [each for each in own if reading.view.real_path(each) != reading.view.real_path(path)]
    note = f"not judged: {', '.join(apart)}, which is a store of its own" if apart else ""
    yield Client("java", "java", fixed(by_keystore(reading, path)), note)


def own_stores(reading: Reading) -> list[str]:
    """The keystores of JDKs, each as it is called there; many are links to the system's."""
    homes = [*(join(folder, name) for folder in _JDKS for name in reading.view.names(folder)), "/opt/java/openjdk"]
    return [path for home in homes for path in (f"{home}/{each}" for each in _OF_A_JDK) if reading.is_file(path)]


def by_keystore(reading: Reading, path: str) -> Found:
    """The certificates of a keystore, JKS or PKCS #12."""
    data = read(reading.view, path) or b""
    try:
        ders = read_pkcs12(data) if looks_like_pkcs12(data) else [entry.der for entry in read_keystore(data)]
        for der in ders:
            parse_certificate(der)
    except MalformedError as error:
        return Found((), path, (f"{path} cannot be read: {error.message}",))
    return Found(tuple(Anchor(each, path) for der in ders for each in parsed(der)), path)
