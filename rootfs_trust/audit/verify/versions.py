"""Find the versions of the clients' libraries in a rootfs, or use assumed ones.

A version is looked up only if it matters, because reading every program of a rootfs takes time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from rootfs_trust.audit.verify.assumed_versions import ASSUMED, Numbers, Version, dotted, numbers_in
from rootfs_trust.audit.verify.build_info import cargo_packages, go_version
from rootfs_trust.clients import certifi, node
from rootfs_trust.clients.client import Client
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.openssl import library_directories
from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.view import join, read
from rootfs_trust.runtimes.node_version import node_version

_PACKAGES = {
    "openssl": ("libssl3t64", "libssl3", "libcrypto3", "openssl-libs", "libopenssl3", "libssl1.1", "libcrypto1.1"),
    "gnutls": ("libgnutls30t64", "libgnutls30", "libgnutls", "gnutls"),
    "mbedtls": (
        "libmbedtls21",
        "libmbedtls14t64",
        "libmbedtls14",
        "libmbedtls12",
        "libmbedx509-1",
        "mbedtls",
        "mbedtls2",
    ),
}
_LIBRARIES = {
    "openssl": (re.compile(r"libcrypto\.so\.[0-9.]+"), re.compile(rb"OpenSSL (\d+\.\d+\.\d+)[a-z]? +\d+ \w{3} 20\d\d")),
    "gnutls": (re.compile(r"libgnutls\.so\.30"), re.compile(rb"GnuTLS (\d+\.\d+\.\d+)", re.IGNORECASE)),
    "mbedtls": (re.compile(r"libmbedcrypto\.so\.\d+"), re.compile(rb"[Mm]bed TLS (\d+\.\d+\.\d+)\0")),
}
"""The file name of each library, and the text in it that contains the version."""

_PROGRAMS = ("/usr/bin", "/usr/local/bin", "/usr/sbin", "/usr/local/sbin", "/bin", "/sbin", "/opt/bin", "/")
_MOST_PROGRAMS = 4000
_JDKS = ("/usr/lib/jvm", "/opt", "/usr/local", "/opt/java")
_JAVA_VERSION = re.compile(rb'^JAVA_VERSION="([0-9._]+)', re.MULTILINE)
_BLOCKED_CERTS = ("lib/security/blocked.certs", "lib/security/blacklisted.certs", "jre/lib/security/blacklisted.certs")
_SHA256 = re.compile(rb"[0-9A-Fa-f]{64}")
_PYTHON = re.compile(r"/python(3\.\d+)/")


class Assumed:
    """The assumed versions for an unknown rootfs."""

    blocked_by_java: Mapping[str, str] = {}
    """SHA-256 of the certificates in blocked.certs of the JDKs, each with the path of the file."""

    def of(self, client: Client) -> Version:
        """Return the version of the library with which ``client`` evaluates a chain."""
        return ASSUMED[client.engine]

    def python(self) -> Version:
        """Return the version of the Python that reads certifi's file."""
        return ASSUMED["python"]


class Versions(Assumed):
    """The versions that the rootfs of ``reading`` shows."""

    def __init__(self, reading: FileReader) -> None:
        self._reading = reading

    def of(self, client: Client) -> Version:
        """Return the version of the library with which ``client`` evaluates a chain."""
        if client.name == "node":
            return self._of_node
        if client.name.startswith("thin-edge") and client.engine == "rustls":
            return self._of_thin_edge
        found: Version = getattr(self, f"_of_{client.engine}")
        return found

    def python(self) -> Version:
        """Return the version of the Python that contains certifi, from its package: the name of its directory has only
        two numbers.
        """
        match = _PYTHON.search(next(iter(certifi.stores(self._reading)), ""))
        if match is None:
            return ASSUMED["python"]
        for name in (f"python{match[1]}", f"libpython{match[1]}-stdlib", "python3", "python3-libs"):
            package = self._reading.device.packages.get(name)
            numbers = numbers_in(package.version) if package else ()
            if package and dotted(numbers[:2]) == match[1]:
                return ASSUMED["python"]._replace(numbers=numbers, newest=numbers, place=package.database)
        return ASSUMED["python"]._replace(numbers=numbers_in(match[1]))

    @cached_property
    def blocked_by_java(self) -> Mapping[str, str]:  # type: ignore[override]
        """The certificates in lib/security/blocked.certs of each JDK (blacklisted.certs in JDK 8)."""
        found: dict[str, str] = {}
        for path in (f"{home}/{each}" for home in self._jdks for each in _BLOCKED_CERTS):
            fingerprints = (line.decode().lower() for line in self._content(path).split() if _SHA256.fullmatch(line))
            found |= dict.fromkeys(fingerprints, path)
        return found

    @cached_property
    def _of_openssl(self) -> Version:
        return self._of_library("openssl")

    @cached_property
    def _of_gnutls(self) -> Version:
        return self._of_library("gnutls")

    @cached_property
    def _of_mbedtls(self) -> Version:
        return self._of_library("mbedtls")

    @cached_property
    def _of_java(self) -> Version:
        """The versions in the files ``release`` of the JDKs."""
        found = []
        for path in (f"{home}/release" for home in self._jdks):
            match = _JAVA_VERSION.search(self._content(path))
            if match:
                numbers = numbers_in(match[1].decode())
                found.append((numbers[1:] if numbers[:1] == (1,) else numbers, path))
        return _over(ASSUMED["java"], found)

    @cached_property
    def _jdks(self) -> list[str]:
        return [f"{folder}/{name}" for folder in _JDKS for name in self._reading.view.names(folder)]

    @cached_property
    def _of_go(self) -> Version:
        """The version in the build information of programs (runtime/debug, BuildInfo)."""
        found = ((go_version(data), path) for path, data in self._programs())
        return _over(ASSUMED["go"], [(numbers_in(text), path) for text, path in found if text])

    @cached_property
    def _of_rustls(self) -> Version:
        """The version in the data that cargo-auditable adds to programs."""
        return self._of_crates(self._programs())

    @cached_property
    def _of_thin_edge(self) -> Version:
        """The version in the data of cargo-auditable in tedge, or by the package: 1.x uses webpki 0.101, 2.x uses
        0.103.
        """
        found = self._of_crates((path, self._content(path)) for path in ("/usr/bin/tedge", "/usr/local/bin/tedge"))
        package = self._reading.device.packages.get("tedge")
        numbers = numbers_in(package.version) if package else ()
        if found.newest or not package or not numbers:
            return found
        locked = (0, 101, 7) if numbers < (2,) else (0, 103, 13)
        return found._replace(numbers=locked, newest=locked, place=package.database)

    @cached_property
    def _of_node(self) -> Version:
        """The version of the OpenSSL that is compiled into Node.js: 3.5 since Node.js 24, 3.0 before (deps/openssl)."""
        path = node.program(self._reading) or "/usr/bin/node"
        version = node_version(self._reading.device, path)
        if version is None:
            return ASSUMED["openssl"]
        inside = (3, 5) if version >= (24, 0) else (3, 0)
        package = self._reading.device.packages.get("nodejs")
        place = package.database if package else path
        return ASSUMED["openssl"]._replace(numbers=inside, newest=inside, place=place)

    def _of_library(self, engine: str) -> Version:
        """Return the version of the package, or else the version in the text of the library."""
        for name in _PACKAGES[engine]:
            package = self._reading.device.packages.get(name)
            numbers = numbers_in(package.version) if package else ()
            if package and numbers:
                return ASSUMED[engine]._replace(numbers=numbers, newest=numbers, place=package.database)
        named, told = _LIBRARIES[engine]
        found = []
        for folder in library_directories(self._reading):
            for path in (join(folder, name) for name in self._reading.view.names(folder) if named.fullmatch(name)):
                match = told.search(self._content(path))
                found += [(numbers_in(match[1].decode()), path)] if match else []
        return _over(ASSUMED[engine], found)

    def _of_crates(self, programs: Iterator[tuple[str, bytes]]) -> Version:
        found, providers = [], set()
        for path, data in programs:
            crates = cargo_packages(data)
            if "rustls-webpki" in crates:
                found.append((numbers_in(crates["rustls-webpki"]), path))
                providers.add("ring" if "ring" in crates or "aws-lc-rs" not in crates else "aws-lc-rs")
        version = _over(ASSUMED["rustls"], found)
        return version._replace(variant="rustls with aws-lc-rs") if providers == {"aws-lc-rs"} else version

    def _programs(self) -> Iterator[tuple[str, bytes]]:
        """Yield the programs of the rootfs with their content."""
        left = _MOST_PROGRAMS
        seen = set()
        for folder in _PROGRAMS:
            for path in self._reading.files_in(folder):
                real = self._reading.view.real_path(path)
                if real not in seen and left:
                    seen.add(real)
                    left -= 1
                    data = self._content(path)
                    if data.startswith(b"\x7fELF"):
                        yield path, data

    def _content(self, path: str) -> bytes:
        """Return the content of a file, or nothing if it cannot be read; then a version is assumed."""
        try:
            return read(self._reading.view, path) or b""
        except InputError:
            return b""


def _over(assumed: Version, found: Sequence[tuple[Numbers, str]]) -> Version:
    """Return the oldest and the newest version, and the file that contains the oldest."""
    there = sorted(each for each in found if each[0])
    if not there:
        return assumed
    (oldest, place), (newest, _) = there[0], there[-1]
    return assumed._replace(numbers=oldest, newest=newest, place=place)
