"""Go's programs: the first bundle that is there, and every file of two folders (crypto/x509, root_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.clients.client import Anchor, Client, Found, fixed
from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.rootfs.nodes import Symlink

FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")


def clients(reading: Reading) -> Iterator[Client]:
    """``go``."""
    yield Client("go", "go", fixed(system_roots(reading)))


def system_roots(reading: Reading) -> Found:
    """The pool of loadSystemRoots; a link to a neighbour in the folder is passed over: its file comes anyway."""
    first = reading.first_file(*FILES)
    paths = [first] if first else []
    for folder in FOLDERS:
        paths += (path for path in reading.files_in(folder) if not _leads_beside(reading, path))
    anchors: dict[str, Anchor] = {}
    for path in paths:
        file = reading.go(path)
        for anchor in file.anchors if file else ():
            anchors.setdefault(anchor.certificate.sha256, anchor)
    looked = " and ".join([*([first] if first else []), *(each for each in FOLDERS if reading.is_folder(each))])
    return Found(tuple(anchors.values()), looked or FILES[0])


def _leads_beside(reading: Reading, path: str) -> bool:
    if reading.view.kind(path, follow=False) is not Symlink:
        return False
    node = reading.view.node(path)
    return isinstance(node, Symlink) and "/" not in node.points_to
