"""What a device's persistent state puts in the place of the image's store and settings."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.agents.environment import DROP_IN
from rootfs_trust.agents.generation import mapper_file
from rootfs_trust.agents.thin_edge import FILE
from rootfs_trust.audit import places
from rootfs_trust.audit.checks.sources import CONF
from rootfs_trust.audit.files import Files
from rootfs_trust.audit.findings import NOTE, WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.settings import mapper_tables
from rootfs_trust.rootfs.nodes import Directory, View, join

_MEND = "take the file out of the state when the image is updated, or carry the change over to it"

STORE = Kind(
    "state-shadows-store",
    (WARNING, NOTE),
    "The device's state hides a part of the image's trust store",
    "What the image brings does not count on this device. A note where both are the same now: the next image's is "
    "hidden all the same.",
    _MEND,
)
SETTINGS = Kind(
    "state-shadows-settings",
    (WARNING, NOTE),
    "The device's state hides the image's settings of thin-edge.io",
    "An update that copies the old /etc/tedge over the new one (meta-tedge's scripts do), or an overlay, keeps the old "
    "settings: the image's do not count on this device. A note where both are the same now.",
    _MEND,
)
KINDS = (STORE, SETTINGS)


def check(inspection: Inspection) -> Iterator[Finding]:
    """The files of the image by which its trust is decided, each looked at with the state over it."""
    image = inspection.image
    if image is None:
        return
    for path in dict.fromkeys((FILE, DROP_IN, *map(mapper_file, mapper_tables(image)))):
        yield from _shadowed(inspection, image, path, SETTINGS)
    for path in dict.fromkeys(_of_store(image)):
        yield from _shadowed(inspection, image, path, STORE)


def _of_store(image: View) -> Iterator[str]:
    yield from (*places.BUNDLES, *places.JAVA_STORES, CONF)
    for folder in places.HASH_DIRECTORIES:
        yield folder
        real = image.real_path(folder)
        yield from (join(real, name) for name in image.names(folder) if real)
    for folder in places.LOCAL_SOURCES:
        yield from Files(image).below(folder)


def _shadowed(inspection: Inspection, image: View, path: str, kind: Kind) -> Iterator[Finding]:
    """A folder is not hidden by one of the state, into which it is merged."""
    before, after = image.node(path), inspection.view.node(path)
    if before is None or (isinstance(before, Directory) and isinstance(after, Directory)):
        return
    if after is None:
        yield kind.found(path, "the state takes it away from the image's")
    elif inspection.from_state(path):
        if before == after:
            yield kind.found(path, "comes from the state, and is the same as the image's now", level=NOTE)
        else:
            yield kind.found(path, "comes from the state, and differs from the image's")
