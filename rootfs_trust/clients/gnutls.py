"""Programs that use GnuTLS (wget, git and apt of Debian, glib). GnuTLS was built to read a file, a directory or the
sources of p11-kit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rootfs_trust.clients.client import Client, ClientAnchor, ClientType, FoundAnchors, fixed
from rootfs_trust.clients.file_readers import FileReader, anchors_in, of_file
from rootfs_trust.layouts.layout import EVERY_FILE, P11KIT, UNKNOWN

TYPE = ClientType(
    "gnutls",
    "gnutls",
    "apt, git and wget of Debian, glib-networking",
    "a file, every file of a directory, or p11-kit's source files; a file with one malformed block counts as empty",
    "verify-high2.c of GnuTLS",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``gnutls``."""
    yield TYPE.client(fixed(system_trust(reading)))


def system_trust(reading: FileReader) -> FoundAnchors:
    """Return the anchors that gnutls_certificate_set_x509_system_trust loads in the GnuTLS of the layout."""
    way, paths = reading.defaults.gnutls_way, reading.defaults.gnutls
    there = [path for path in paths if reading.is_directory(path)]
    if way == P11KIT and there:
        return uses_p11kit(reading, there)
    if way == EVERY_FILE and there:
        return by_directory(reading, there[0])
    files = UNKNOWN.gnutls if way in (P11KIT, EVERY_FILE) else paths
    return by_file(reading, reading.first_file(*files, *UNKNOWN.gnutls) or files[0])


def by_file(reading: FileReader, path: str) -> FoundAnchors:
    """Return the anchors that gnutls_x509_trust_list_add_trust_file loads."""
    return of_file(reading.gnutls(path), path)


def by_directory(reading: FileReader, folder: str) -> FoundAnchors:
    """Return the anchors that gnutls_x509_trust_list_add_trust_dir loads: those in every file of the directory, except
    unreadable files.
    """
    files = (reading.gnutls(path) for path in reading.files_in(folder))
    return FoundAnchors(anchors_in(files), folder)


def uses_p11kit(reading: FileReader, folders: Sequence[str]) -> FoundAnchors:
    """Return the anchors for TLS servers that p11-kit's trust module provides from its source files."""
    from rootfs_trust.store.p11kit.output_selection import Filter, select
    from rootfs_trust.store.p11kit.sources import find
    from rootfs_trust.x509.oids import SERVER_AUTH

    chosen = select(find(reading.view, folders).tokens, Filter.ANCHORS, SERVER_AUTH)
    return FoundAnchors(tuple(ClientAnchor(each.certificate, each.path) for each in chosen), " and ".join(folders))
