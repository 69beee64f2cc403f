"""Programs that use OpenSSL (curl, Python's ssl, mosquitto, wget, ...), with a hash directory or a bundle.

Sources: by_dir.c and by_file.c in crypto/x509; the directory is OPENSSLDIR of the distribution's build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count

from rootfs_trust.clients.client import Client, ClientAnchor, ClientType, Find, FoundAnchors, OpenSslOptions, together
from rootfs_trust.clients.file_readers import FileReader, of_file
from rootfs_trust.layouts.layout import UNKNOWN
from rootfs_trust.rootfs.view import join, read
from rootfs_trust.store.hash_links import is_looked_up_first
from rootfs_trust.x509 import Certificate, Name

_CONFIGURATIONS = (
    "/usr/lib/ssl/openssl.cnf",
    "/usr/lib/ssl-3/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/ssl/openssl.cnf",
)
_CIPHER_STRING = re.compile(rb"^[ \t]*CipherString[ \t]*=.*@SECLEVEL=([0-5])", re.MULTILINE)
_NUMBERS = re.compile(r"(?:\d+:)?(\d{1,9})\.(\d{1,9})")
_LIBRARY = re.compile(r"libcrypto\.so\.([0-9.]+[a-z]?)")
_MULTIARCH = ("-linux-gnu", "-linux-gnueabihf", "-linux-gnueabi", "-linux-musl")
_HARDENED = ("debian", "ubuntu", "fedora", "rhel", "centos", "suse", "opensuse")
"""Distributions, by ID and ID_LIKE of os-release, that build OpenSSL with security level 2 or set it."""

_PACKAGES = ("libcrypto3", "libopenssl3", "libssl3", "libcrypto1.1", "libopenssl1.1", "libssl1.1", "openssl-libs")
_FIRST_WITH_LEVEL_2 = (3, 2)  # CHANGES of OpenSSL 3.2; before, 1 was compiled in

DIRECTORY = ClientType(
    "openssl-directory",
    "openssl",
    "mosquitto with a directory, and other programs that give OpenSSL one",
    "files named `HASH.N`, eight lower-case hexadecimal digits and a number without leading zeros, from 0 up to "
    "the first that does not exist",
    "by_dir.c of OpenSSL",
)
BUNDLE = ClientType(
    "openssl-bundle",
    "openssl",
    "curl, wget, Python's ssl, Ruby and others that give OpenSSL a file",
    "the whole file; if one PEM block is malformed, OpenSSL uses none of the file; blocks `TRUSTED CERTIFICATE` "
    "count with their purposes",
    "by_file.c of OpenSSL",
)
TYPES = (DIRECTORY, BUNDLE)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``openssl-directory`` and ``openssl-bundle``."""
    options, note = default_options(reading), older_rules(reading)
    yield DIRECTORY.client(by_directories(reading, default_directories(reading)), note, options)
    bundle = default_bundle(reading)
    yield BUNDLE.client(lambda _: by_bundle(reading, bundle), note, options)


def older_rules(reading: FileReader) -> str:
    """Return how the rootfs's OpenSSL differs from the implementation here, if it is an older version."""
    names = (name for folder in library_directories(reading) for name in reading.view.names(folder))
    versions = {match[1] for name in names if (match := _LIBRARY.fullmatch(name))}
    told = (
        f"the rootfs has {old} (libcrypto.so.{version}): {rule}"
        for version in versions
        for old, rule in _rules(version)
    )
    return "; ".join(sorted(told))


def _rules(version: str) -> Iterator[tuple[str, str]]:
    """Return how OpenSSL of this version verifies differently. Sources: NEWS.md of OpenSSL 1.1.0 (trusted-first
    verification) and 3.0 (SHA-1 below 80 bits of security).
    """
    if version.startswith("1.0"):
        yield "OpenSSL 1.0", "an expired root that the server sends along ends the search, although a valid path exists"
    if version.startswith("1."):
        yield f"OpenSSL {version[:3]}", "at security level 1 it accepts SHA-1 signatures, which are refused here"


def library_directories(reading: FileReader) -> Iterator[str]:
    """Yield the directories in which distributions have shared libraries."""
    for folder in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        yield folder
        yield from (join(folder, name) for name in reading.view.names(folder) if name.endswith(_MULTIARCH))


def default_options(reading: FileReader) -> OpenSslOptions:
    """Return the options of a plain TLS client, with the security level of openssl.cnf, or else the compiled-in one."""
    data = read(reading.view, reading.first_file(*_CONFIGURATIONS) or "") or b""
    level = _CIPHER_STRING.search(data)
    return OpenSslOptions(level=int(level[1]) if level else _compiled_level(reading))


def _compiled_level(reading: FileReader) -> int:
    """Return the security level of the distribution's build; 2 if the rootfs shows no version."""
    release = reading.device.os_release
    if not {release.get("ID", ""), *release.get("ID_LIKE", "").split()}.isdisjoint(_HARDENED):
        return 2
    packages = (reading.device.packages.get(name) for name in _PACKAGES)
    version = next((_NUMBERS.match(each.version) for each in packages if each), None)
    old = version is not None and (int(version[1]), int(version[2])) < _FIRST_WITH_LEVEL_2
    return 1 if old else 2


def default_bundle(reading: FileReader) -> str:
    """Return the file that the device's OpenSSL loads, or the bundle that the distribution configures for programs."""
    files = reading.defaults.openssl_file
    named = reading.named("SSL_CERT_FILE")
    return named or reading.first_file(*files, *UNKNOWN.openssl_file) or files[-1]


def default_directories(reading: FileReader) -> tuple[str, ...]:
    """Return the directories that the device's OpenSSL searches. SSL_CERT_DIR may name several."""
    named = reading.named("SSL_CERT_DIR")
    return tuple(path for path in named.split(":") if path) if named else (default_directory(reading),)


def default_directory(reading: FileReader) -> str:
    """Return the first configured directory with hash links, else the first configured one."""
    places = (*reading.defaults.openssl_directory, *UNKNOWN.openssl_directory)
    there = [path for path in dict.fromkeys(places) if reading.is_directory(path)]
    return next(
        (path for path in there if any(map(is_looked_up_first, reading.view.names(path)))),
        there[0] if there else "/etc/ssl/certs",
    )


def by_bundle(reading: FileReader, path: str) -> FoundAnchors:
    """Return the anchors of a CAfile."""
    return of_file(reading.openssl_bundle(path), path)


def by_directories(reading: FileReader, folders: Sequence[str]) -> Find:
    """Return the function that looks up anchors in several directories, one after the other, as OpenSSL does."""

    def find(chain: Sequence[Certificate] | None) -> FoundAnchors:
        return together([by_directory(reading, folder, chain) for folder in folders])

    return find


def by_directory(reading: FileReader, folder: str, chain: Sequence[Certificate] | None) -> FoundAnchors:
    """Return the anchors that the lookup for ``chain`` loads: for each name HASH.0, HASH.1, ... until one is missing.

    Without a chain: every certificate that can be found by its name.
    """
    if not reading.is_directory(folder):
        return FoundAnchors((), folder, (f"there is no directory {folder}",))
    lookup = _Lookup(reading, folder)
    if chain is None:
        lookup.ask_all()
    for certificate in chain or ():
        lookup.ask(certificate.subject)
        lookup.ask(certificate.issuer)
    return FoundAnchors(tuple(lookup.found), folder, tuple(lookup.faults))


class _Lookup:
    """Looks up certificates as get_cert_by_subject_int of by_dir.c does. Reads the links of each name once, and caches
    the certificates.
    """

    def __init__(self, reading: FileReader, folder: str) -> None:
        self._reading, self._directory = reading, folder
        self._asked: set[Name] = set()
        self.found: list[ClientAnchor] = []
        self.faults: list[str] = []

    def ask(self, name: Name) -> None:
        """Load the certificates with the subject ``name``, and then those of their issuers."""
        pending = [name]
        while pending:
            name = pending.pop()
            if name not in self._asked:
                self._asked.add(name)
                loaded = self._load(name.hash)
                self.found += loaded
                pending += (each.certificate.issuer for each in loaded)

    def ask_all(self) -> None:
        """Load every certificate that can be found by its name."""
        names = self._reading.view.names(self._directory)
        for digits in dict.fromkeys(name[:8] for name in names if is_looked_up_first(name)):
            self.found += (each for each in self._load(digits) if each.certificate.subject.hash == digits)

    def _load(self, digits: str) -> list[ClientAnchor]:
        loaded: list[ClientAnchor] = []
        for number in count():
            path = join(self._directory, f"{digits}.{number}")
            if self._reading.view.kind(path) is None:  # the lookup stops where stat() fails
                break
            file = self._reading.openssl_linked(path)
            loaded += file.anchors if file else ()
            if file is None or file.fault or not file.anchors:
                self.faults.append(f"{path} cannot be loaded: {file.fault or 'no certificate' if file else 'no file'}")
                break
        return loaded
