"""Programs that use rustls, with the store of the system as rustls-native-certs finds it.

The client ``rustls-native`` stands for version 0.8 of that crate, which reads a bundle and a hash directory. Version
0.6, of thin-edge.io 1.x, reads only the bundle. Both use openssl-probe 0.1 to find them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rootfs_trust.clients.client import Client, ClientType, FoundAnchors, fixed
from rootfs_trust.clients.file_readers import FileReader, ParsedFile, anchors_in
from rootfs_trust.rootfs.view import join

_HASH_NAME = re.compile(r"[0-9A-Fa-f]{8}\.[0-9]")

_PLACES = (
    "/var/ssl",
    "/usr/share/ssl",
    "/usr/local/ssl",
    "/usr/local/openssl",
    "/usr/local/etc/openssl",
    "/usr/local/share",
    "/usr/lib/ssl",
    "/usr/ssl",
    "/etc/openssl",
    "/etc/pki/ca-trust/extracted/pem",
    "/etc/pki/tls",
    "/etc/ssl",
    "/etc/certs",
    "/opt/etc/ssl",
)
_NAMES = (
    "cert.pem",
    "certs.pem",
    "ca-bundle.pem",
    "cacert.pem",
    "ca-certificates.crt",
    "certs/ca-certificates.crt",
    "certs/ca-root-nss.crt",
    "certs/ca-bundle.crt",
    "CARootCertificates.pem",
    "tls-ca-bundle.pem",
)

TYPE = ClientType(
    "rustls-native",
    "rustls",
    "programs in Rust with rustls-native-certs",
    "the first file that exists, and the hash-named files of the first directory that exists",
    "rustls-native-certs 0.8 and openssl-probe 0.1",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``rustls-native``."""
    yield TYPE.client(fixed(native_certs(reading)))


def native_certs(reading: FileReader, *, first_generation: bool = False) -> FoundAnchors:
    """Return the anchors that load_native_certs() of rustls-native-certs 0.8.1 loads, or those of 0.6.3. A fault is an
    error for the caller of load_native_certs().
    """
    file, folders = _places(reading, first_generation)
    paths = [] if file is None else [file]
    for folder in folders:
        paths += (path for path in reading.files_in(folder) if _HASH_NAME.fullmatch(path.rpartition("/")[2]))
    read = {path: reading.rust(path, pemfile=first_generation) for path in paths}
    searched = " and ".join(place for place in (file, *folders) if place)
    return found_in(read, searched or "/etc/ssl")


def found_in(read: dict[str, ParsedFile | None], searched: str) -> FoundAnchors:
    """Return the combined anchors of several files without duplicates, and a sentence for each file with a fault."""
    faults = tuple(f"{path}: {file.fault}" for path, file in read.items() if file and file.fault)
    return FoundAnchors(anchors_in(read.values()), searched, faults)


def _places(reading: FileReader, first_generation: bool) -> tuple[str | None, Sequence[str]]:
    """Return the file and the directories to read. They come from SSL_CERT_FILE and SSL_CERT_DIR if one is set, or else
    from the system.

    Version 0.6 knows only SSL_CERT_FILE, and reads no directory.
    """
    file, named = reading.named("SSL_CERT_FILE"), reading.named("SSL_CERT_DIR")
    if file is not None or (named is not None and not first_generation):
        return file, [] if first_generation else (named or "").split(":")
    file, folder = _probed(reading)
    return file, [] if first_generation or folder is None else [folder]


def _probed(reading: FileReader) -> tuple[str | None, str | None]:
    """Return the first bundle and the first directory that openssl-probe finds."""
    places = [place for place in _PLACES if reading.is_directory(place)]
    file = reading.first_file(*(join(place, name) for place in places for name in _NAMES))
    folder = next((path for place in places if reading.is_directory(path := join(place, "certs"))), None)
    return file, folder
