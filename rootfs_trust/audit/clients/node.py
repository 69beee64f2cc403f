"""Node.js: roots that are compiled in, and what NODE_EXTRA_CA_CERTS and its options add.

The binary's own list is Mozilla's; it is taken to be what the distribution ships of Mozilla's, since a binary for
another machine is not run and its list has no place that is known. Debian's node is built to use OpenSSL's store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rootfs_trust.audit.clients import openssl
from rootfs_trust.audit.clients.client import Anchor, Client, Found, OpenSslOptions
from rootfs_trust.audit.clients.environment import variable
from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.rootfs.nodes import read
from rootfs_trust.x509 import Certificate

_PROGRAMS = ("/usr/bin/node", "/usr/local/bin/node", "/usr/bin/nodejs", "/opt/node/bin/node")
_MOZILLA = ("/usr/share/ca-certificates/mozilla",)
_PACKAGE_OF_DEBIAN = "/var/lib/dpkg/info/nodejs.list"
_NODESOURCE = b"nodesource"
NOTE = "compiled-in roots are taken to be Mozilla's as the distribution ships them"


def clients(reading: Reading) -> Iterator[Client]:
    """``node``, where the tree has it."""
    if program(reading) is None:
        return
    shared, system = _uses_openssl_store(reading), _adds_openssl_store(reading)
    note = "" if shared else NOTE

    def find(chain: Sequence[Certificate]) -> Found:
        parts = [_openssl_store(reading, chain) if shared else _compiled_in(reading)]
        if system:
            parts.append(_openssl_store(reading, chain))
        return _together([*parts, *extra_certificates(reading)])

    yield Client(
        "node", "openssl", find, note, OpenSslOptions(level=1 if note else openssl.default_options(reading).level)
    )


def program(reading: Reading) -> str | None:
    """Where the tree has node."""
    return reading.first_file(*_PROGRAMS)


def keeps_apart(reading: Reading) -> bool:
    """Whether node knows nothing of the trust store: only its own roots, and those of NODE_EXTRA_CA_CERTS."""
    return not (_uses_openssl_store(reading) or _adds_openssl_store(reading))


def _uses_openssl_store(reading: Reading) -> bool:
    return "--use-openssl-ca" in _options(reading) or _is_debians(reading)


def _adds_openssl_store(reading: Reading) -> bool:
    return "--use-system-ca" in _options(reading)


def _options(reading: Reading) -> str:
    return " ".join(value for value, _ in variable(reading, "NODE_OPTIONS"))


def _is_debians(reading: Reading) -> bool:
    """Debian builds it with --openssl-use-def-ca-store; NodeSource's package of the same name does not."""
    listed = read(reading.view, _PACKAGE_OF_DEBIAN)
    status = read(reading.view, "/var/lib/dpkg/status") or b""
    stanza = status.partition(b"Package: nodejs\n")[2].partition(b"\n\n")[0]
    return listed is not None and _NODESOURCE not in stanza


def _openssl_store(reading: Reading, chain: Sequence[Certificate]) -> Found:
    folder = openssl.by_directory(reading, openssl.default_folder(reading), chain)
    bundle = reading.first_file(*openssl.BUNDLES)
    return _together([folder, *([openssl.by_bundle(reading, bundle)] if bundle else [])])


def _compiled_in(reading: Reading) -> Found:
    anchors: list[Anchor] = []
    for folder in _MOZILLA:
        for path in reading.files_in(folder):
            file = reading.openssl_bundle(path)
            anchors += file.anchors if file else ()
    return Found(tuple(anchors), "the roots compiled into node")


def extra_certificates(reading: Reading) -> Iterator[Found]:
    """NODE_EXTRA_CA_CERTS: a file that cannot be read is a warning of node's, and adds nothing."""
    for path, place in variable(reading, "NODE_EXTRA_CA_CERTS"):
        found = openssl.by_bundle(reading, path)
        yield Found(found.anchors, f"{path} (NODE_EXTRA_CA_CERTS of {place})", found.faults)


def _together(parts: Sequence[Found]) -> Found:
    anchors = tuple(anchor for part in parts for anchor in part.anchors)
    faults = tuple(fault for part in parts for fault in part.faults)
    return Found(anchors, " and ".join(part.looked for part in parts), faults)
