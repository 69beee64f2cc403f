"""OpenSSL's clients (curl, Python's ssl, mosquitto, wget, ...): by hash directory, and by bundle.

Sources: by_dir.c and by_file.c in crypto/x509; where the folder is: OPENSSLDIR of the distributions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count

from rootfs_trust.audit.clients.client import Anchor, Client, Found, OpenSslOptions
from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.rootfs.nodes import join, read
from rootfs_trust.x509 import Certificate, Name

FOLDERS = (
    "/usr/lib/ssl/certs",
    "/usr/lib/ssl-3/certs",
    "/etc/pki/tls/certs",
    "/etc/ssl/certs",
    "/etc/pki/ca-trust/extracted/pem/directory-hash",
)
"""OPENSSLDIR/certs of Debian, Yocto, Fedora and all others; last the folder to which Fedora points programs."""

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/lib/ssl/cert.pem",
    "/usr/lib/ssl-3/cert.pem",
    "/etc/pki/tls/cert.pem",
)
"""The bundle of each distribution, to which curl, Python and others are pointed."""

_CONFIGURATIONS = (
    "/usr/lib/ssl/openssl.cnf",
    "/usr/lib/ssl-3/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/ssl/openssl.cnf",
)
_CIPHER_STRING = re.compile(rb"^[ \t]*CipherString[ \t]*=.*@SECLEVEL=([0-5])", re.MULTILINE)
_LIBRARY = re.compile(r"libcrypto\.so\.([0-9.]+[a-z]?)")
_MULTIARCH = ("-linux-gnu", "-linux-gnueabihf", "-linux-gnueabi", "-linux-musl")
_LEVEL = 2  # compiled in: Debian's, and everybody's since OpenSSL 3.2; openssl(5), config(5)


def clients(reading: Reading) -> Iterator[Client]:
    """``openssl-directory`` and ``openssl-bundle``."""
    folder, options, note = default_folder(reading), default_options(reading), older_rules(reading)
    find = partial(by_directory, reading, folder)
    yield Client("openssl-directory", "openssl", find, note, options)
    bundle = reading.first_file(*BUNDLES) or BUNDLES[0]
    yield Client("openssl-bundle", "openssl", lambda _: by_bundle(reading, bundle), note, options)


def older_rules(reading: Reading) -> str:
    """What the tree's own OpenSSL does otherwise than the one that judges here, if it is an older one."""
    names = (name for folder in _library_folders(reading) for name in reading.view.names(folder))
    versions = {match[1] for name in names if (match := _LIBRARY.fullmatch(name))}
    told = (
        f"the rootfs has {old} (libcrypto.so.{version}): {rule}"
        for version in versions
        for old, rule in _rules(version)
    )
    return "; ".join(sorted(told))


def _rules(version: str) -> Iterator[tuple[str, str]]:
    """Sources: NEWS.md of OpenSSL 1.1.0 (trusted-first verification) and 3.0 (SHA-1 below 80 bits of security)."""
    if version.startswith("1.0"):
        yield "OpenSSL 1.0", "an expired root that the server sends along ends the search, though a valid path exists"
    if version.startswith("1."):
        yield f"OpenSSL {version[:3]}", "at security level 1 it takes SHA-1 signatures, which are refused here"


def _library_folders(reading: Reading) -> Iterator[str]:
    for folder in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        yield folder
        yield from (join(folder, name) for name in reading.view.names(folder) if name.endswith(_MULTIARCH))


def default_options(reading: Reading) -> OpenSslOptions:
    """A plain TLS client's, with the security level of the tree's openssl.cnf."""
    data = read(reading.view, reading.first_file(*_CONFIGURATIONS) or "") or b""
    level = _CIPHER_STRING.search(data)
    return OpenSslOptions(level=int(level[1]) if level else _LEVEL)


def default_folder(reading: Reading) -> str:
    """The folder that the device's OpenSSL looks into: the first with hash links, else the first."""
    there = [folder for folder in FOLDERS if reading.is_folder(folder)]
    return next((folder for folder in there if _has_links(reading, folder)), there[0] if there else "/etc/ssl/certs")


def _has_links(reading: Reading, folder: str) -> bool:
    return any(len(name) == 10 and name.endswith(".0") for name in reading.view.names(folder))


def by_bundle(reading: Reading, path: str) -> Found:
    """A CAfile."""
    file = reading.openssl_bundle(path)
    if file is None:
        return Found((), path, (f"there is no {path}",))
    return Found(file.anchors, path, (f"nothing of {path} is loaded: {file.fault}",) if file.fault else ())


def by_directory(reading: Reading, folder: str, chain: Sequence[Certificate]) -> Found:
    """What the lookup comes by on its way up from ``chain``: for each name HASH.0, HASH.1, ... until one is missing."""
    if not reading.is_folder(folder):
        return Found((), folder, (f"there is no folder {folder}",))
    lookup = _Lookup(reading, folder)
    for certificate in chain:
        lookup.ask(certificate.subject)
        lookup.ask(certificate.issuer)
    return Found(tuple(lookup.found), folder, tuple(lookup.faults))


class _Lookup:
    """get_cert_by_subject_int of by_dir.c: each name's links are read once, and what they lead to is kept."""

    def __init__(self, reading: Reading, folder: str) -> None:
        self._reading, self._folder = reading, folder
        self._asked: set[Name] = set()
        self.found: list[Anchor] = []
        self.faults: list[str] = []

    def ask(self, name: Name) -> None:
        """Load what the links of ``name`` lead to, and then what stands above it."""
        pending = [name]
        while pending:
            name = pending.pop()
            if name not in self._asked:
                self._asked.add(name)
                loaded = self._load(name.hash)
                self.found += loaded
                pending += (each.certificate.issuer for each in loaded)

    def _load(self, digits: str) -> list[Anchor]:
        loaded: list[Anchor] = []
        for number in count():
            path = join(self._folder, f"{digits}.{number}")
            if self._reading.view.kind(path) is None:  # stat() fails: there the lookup stops
                break
            file = self._reading.openssl_linked(path)
            loaded += file.anchors if file else ()
            if file is None or file.fault or not file.anchors:
                self.faults.append(f"{path} cannot be loaded: {file.fault or 'no certificate' if file else 'no file'}")
                break
        return loaded
