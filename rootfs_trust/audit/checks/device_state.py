"""Findings about a device's persistent state that hides the image's trust store or settings."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.files import TreeFiles
from rootfs_trust.audit.findings import NOTE, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.well_known_paths import CONF
from rootfs_trust.rootfs.view import Directory, View, join
from rootfs_trust.thin_edge.configure import FILE
from rootfs_trust.thin_edge.service_environment import DROP_IN
from rootfs_trust.thin_edge.settings_in_force import mapper_tables
from rootfs_trust.thin_edge.version import mapper_file

_FIX = "delete the file from the state when the image is updated, or apply the change to it"

STORE = FindingType(
    "state-shadows-store",
    (WARNING, NOTE),
    "The device's state hides a part of the image's trust store",
    "The store of the image has no effect on this device. It is a note if both are equal now: the next image's store is"
    " hidden, too.",
    _FIX,
)
SETTINGS = FindingType(
    "state-shadows-settings",
    (WARNING, NOTE),
    "The device's state hides the image's settings of thin-edge.io",
    "An update that copies the old /etc/tedge over the new one (meta-tedge's scripts do), or an overlay, keeps "
    "the old settings. Those of the image have no effect on this device. It is a note if both are equal now.",
    _FIX,
)
KINDS = (STORE, SETTINGS)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for the files that decide what the image trusts, compared with and without the state."""
    image = inspection.image
    if image is None:
        return
    for path in dict.fromkeys((FILE, DROP_IN, *map(mapper_file, mapper_tables(image)))):
        yield from _hidden_by_state(inspection, image, path, SETTINGS)
    for path in dict.fromkeys(_of_store(image)):
        yield from _hidden_by_state(inspection, image, path, STORE)


def _of_store(image: View) -> Iterator[str]:
    yield from (*well_known_paths.BUNDLES, *well_known_paths.JAVA_STORES, CONF)
    for folder in well_known_paths.HASH_DIRECTORIES:
        yield folder
        real = image.real_path(folder)
        yield from (join(real, name) for name in image.names(folder) if real)
    for folder in well_known_paths.LOCAL_SOURCES:
        yield from TreeFiles(image).below(folder)


def _hidden_by_state(inspection: Inspection, image: View, path: str, kind: FindingType) -> Iterator[Finding]:
    """Return how the state hides a file, or an empty string. Directories of the state are merged, not hidden."""
    before, after = image.node(path), inspection.view.node(path)
    if before is None or (isinstance(before, Directory) and isinstance(after, Directory)):
        return
    if after is None:
        yield kind.found(path, "the device's state deletes it")
    elif inspection.from_state(path):
        if before == after:
            yield kind.found(path, "comes from the device's state, and equals the image's file now", level=NOTE)
        else:
            yield kind.found(path, "comes from the device's state, and differs from the image's file")
