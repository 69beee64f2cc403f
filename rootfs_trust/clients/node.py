"""Node.js: roots that are compiled in, and what NODE_EXTRA_CA_CERTS and its options add.

Debian's node is built to use OpenSSL's store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rootfs_trust.clients import openssl
from rootfs_trust.clients.client import Client, ClientType, FoundAnchors, OpenSslOptions, together
from rootfs_trust.clients.compiled_roots import NOTE, compiled_in
from rootfs_trust.clients.environment_variables import variable
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.rootfs.view import read
from rootfs_trust.runtimes.node_version import knows_option, knows_variable, node_version
from rootfs_trust.x509 import Certificate

_PROGRAMS = ("/usr/bin/node", "/usr/local/bin/node", "/usr/bin/nodejs", "/opt/node/bin/node")
_PACKAGE_OF_DEBIAN = "/var/lib/dpkg/info/nodejs.list"
_NODESOURCE = "nodesource"

TYPE = ClientType(
    "node",
    "openssl",
    "Node.js",
    "roots compiled into the program, and what variables and options add; Debian's uses OpenSSL's stores",
    "Node.js, command-line API",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``node`` if the rootfs has it."""
    path = program(reading)
    if path is None:
        return
    shared, system = _uses_openssl_store(reading), _adds_openssl_store(reading)
    note = "" if shared else NOTE
    cannot_start = _cannot_start(reading, path)

    def find(chain: Sequence[Certificate] | None) -> FoundAnchors:
        if cannot_start:
            return FoundAnchors((), path, cannot_start=cannot_start)
        parts = [_openssl_store(reading, chain) if shared else compiled_in(reading, path)]
        if system:
            parts.append(_system_store(reading))
        return together([*parts, *extra_certificates(reading)])

    yield TYPE.client(find, note, OpenSslOptions(level=1 if note else openssl.default_options(reading).level))


def program(reading: FileReader) -> str | None:
    """Return the path of node, or None."""
    return reading.first_file(*_PROGRAMS)


def keeps_apart(reading: FileReader) -> bool:
    """Return whether node ignores the system's trust store, and uses only its compiled-in roots and
    NODE_EXTRA_CA_CERTS.
    """
    return not (_uses_openssl_store(reading) or _adds_openssl_store(reading))


def _uses_openssl_store(reading: FileReader) -> bool:
    return "--use-openssl-ca" in _options(reading) or _is_debians(reading)


def _adds_openssl_store(reading: FileReader) -> bool:
    uses = any(value == "1" for value, _ in variable(reading, "NODE_USE_SYSTEM_CA"))
    version = node_version(reading.device, program(reading) or "")
    return (uses and (version is None or knows_variable(version))) or "--use-system-ca" in _options(reading)


def _cannot_start(reading: FileReader, path: str) -> str:
    """Return the reason why node does not start, or an empty string."""
    version = node_version(reading.device, path)
    if version is None or knows_option(version) or "--use-system-ca" not in _options(reading):
        return ""
    return f"Node.js {version[0]}.{version[1]} does not start with --use-system-ca in NODE_OPTIONS"


def _options(reading: FileReader) -> str:
    return " ".join(value for value, _ in variable(reading, "NODE_OPTIONS"))


def _is_debians(reading: FileReader) -> bool:
    """Return whether node is Debian's build (with --openssl-use-def-ca-store), not the one of NodeSource."""
    listed = read(reading.view, _PACKAGE_OF_DEBIAN)
    package = reading.device.packages.get("nodejs")
    return listed is not None and not (package and _NODESOURCE in package.stanza)


def _openssl_store(reading: FileReader, chain: Sequence[Certificate] | None) -> FoundAnchors:
    directories = openssl.by_directories(reading, openssl.default_directories(reading))(chain)
    bundle = openssl.default_bundle(reading)
    return together([directories, *([openssl.by_bundle(reading, bundle)] if reading.is_file(bundle) else [])])


def _system_store(reading: FileReader) -> FoundAnchors:
    """Return the anchors of --use-system-ca: OpenSSL's default file, and every file of its default directory.

    GetOpenSSLSystemCertificates in src/crypto/crypto_context.cc. OPENSSLDIR of nodejs.org's builds is /etc/ssl.
    """
    debian = _is_debians(reading)
    file = openssl.default_bundle(reading) if debian else reading.named("SSL_CERT_FILE") or "/etc/ssl/cert.pem"
    folders = openssl.default_directories(reading) if debian or reading.named("SSL_CERT_DIR") else ("/etc/ssl/certs",)
    paths = [file, *(path for folder in folders for path in reading.files_in(folder))]
    read = (reading.openssl_linked(path) for path in paths)
    anchors = tuple(anchor for found in read if found for anchor in found.anchors)
    return FoundAnchors(anchors, " and ".join((file, *folders)))


def extra_certificates(reading: FileReader) -> Iterator[FoundAnchors]:
    """Yield the anchors of NODE_EXTRA_CA_CERTS. Node only warns about an unreadable file, and uses no anchors of it."""
    for path, place in variable(reading, "NODE_EXTRA_CA_CERTS"):
        found = openssl.by_bundle(reading, path)
        yield FoundAnchors(found.anchors, f"{path} (NODE_EXTRA_CA_CERTS of {place})", found.faults)
