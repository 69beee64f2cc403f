"""Findings about directories of source files that are not directories, or contain entries that no tool can read."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.findings import ERROR, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.rootfs.listing import entries_below
from rootfs_trust.rootfs.view import Directory, Special, Symlink, join, parent

_SOURCES = (
    *well_known_paths.LOCAL_SOURCES,
    *well_known_paths.SHIPPED_SOURCES,
    *(join(folder, "anchors") for folder in well_known_paths.P11KIT_SOURCES),
)

NOT_A_DIRECTORY = FindingType(
    "source-not-a-directory",
    (ERROR,),
    "The anchor source directory is a file or a dangling link",
    "The distribution's tool finds no source files, and nothing can be installed. A COPY to the path before its "
    "package is installed creates such a file.",
    "move it away, create a directory with this name, and put the certificates into it as NAME.crt",
)
DANGLING_SOURCE = FindingType(
    "dangling-source",
    (WARNING,),
    "A link in the anchor source directory is dangling",
    "Somebody wanted to trust a CA, but no client does.",
    "replace the link with the certificate, or delete it",
)
NOT_A_FILE = FindingType(
    "source-not-a-file",
    (ERROR,),
    "A FIFO, socket or device is in the anchor source directory",
    "The distribution's tool reads every entry of the directory. It waits for a FIFO forever, so the store is not "
    "rebuilt on the device.",
    "delete it, or replace it with the certificate",
)
KINDS = (NOT_A_DIRECTORY, DANGLING_SOURCE, NOT_A_FILE)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield source directories that are not directories, and entries of source directories that are not files."""
    view = inspection.view
    for path in dict.fromkeys(_SOURCES):
        kind = view.kind(path)
        if kind not in (None, Directory) or (kind is None and view.kind(path, follow=False) is Symlink):
            what = "a dangling link" if kind is None else "not a directory"
            yield NOT_A_DIRECTORY.found(path, f"is {what}")
    for folder in well_known_paths.LOCAL_SOURCES:
        for path, kind in entries_below(view, folder, follow=True):
            if kind is Special:
                yield NOT_A_FILE.found(path, "is a FIFO, socket or device")
            elif kind is None:
                yield _dangling(inspection, path)


def _dangling(inspection: Inspection, path: str) -> Finding:
    node = inspection.view.node(path)
    text = node.points_to if isinstance(node, Symlink) else ""
    if join(parent(path), text) == path or text == path:
        return DANGLING_SOURCE.found(path, "points to itself")
    return DANGLING_SOURCE.found(path, f"points to {text}, which does not exist")
