"""Programs in Go: they read the first existing bundle, and all files of two directories (root_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rootfs_trust.clients.client import Client, ClientType, FoundAnchors, fixed
from rootfs_trust.clients.file_readers import FileReader, anchors_in
from rootfs_trust.clients.table import GO_DIRECTORIES, GO_FILES
from rootfs_trust.rootfs.view import Symlink

TYPE = ClientType(
    "go",
    "go",
    "programs written in Go",
    "the first file that exists, and every file of two directories whatever its name, except links to a file "
    "in the same directory",
    "root_linux.go and root_unix.go of crypto/x509",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``go``."""
    yield TYPE.client(fixed(system_roots(reading)))


def system_roots(reading: FileReader) -> FoundAnchors:
    """Return the certificates that loadSystemRoots adds to its pool. A link to another file in the same directory is
    skipped, because Go reads that file anyway.
    """
    named, folders = reading.named("SSL_CERT_FILE"), _directories(reading)
    first = reading.first_file(*([named] if named else GO_FILES))
    paths = [first] if first else []
    for folder in folders:
        paths += (path for path in reading.files_in(folder) if not _leads_beside(reading, path))
    searched = " and ".join([*([first] if first else []), *(each for each in folders if reading.is_directory(each))])
    return FoundAnchors(anchors_in(map(reading.go, paths)), searched or GO_FILES[0])


def _directories(reading: FileReader) -> Sequence[str]:
    """Return the directories that Go reads. SSL_CERT_DIR replaces the default directories, as SSL_CERT_FILE replaces
    the default files.
    """
    named = reading.named("SSL_CERT_DIR")
    return named.split(":") if named else GO_DIRECTORIES


def _leads_beside(reading: FileReader, path: str) -> bool:
    if reading.view.kind(path, follow=False) is not Symlink:
        return False
    node = reading.view.node(path)
    return isinstance(node, Symlink) and "/" not in node.points_to
