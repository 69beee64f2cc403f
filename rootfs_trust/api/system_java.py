"""The system's Java keystores that no tool of the layout maintains. A run updates them like the bundle.

Images of Wolfi and Chainguard, and distroless ones, have ``/etc/ssl/certs/java/cacerts``, but no tool that writes it.
Foreign entries are kept unchanged; our entries have aliases that begin with ``rootfs-trust:``.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.api.runtimes import anchors_of
from rootfs_trust.clients.table import JAVA_STORES
from rootfs_trust.errors import JAVA_STORE_FORMAT, InputError, MalformedError
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import File, View, read
from rootfs_trust.runtimes.java import changed_keystore, readable_anchors
from rootfs_trust.runtimes.request import RuntimeRequest
from rootfs_trust.store.store_plan import Request, StorePlan

_HINT = "name a file with its password as java_password_file in [runtimes], or replace it with a keystore that opens"


def add_system_keystores(
    device: Device, layout: Layout, request: Request, store: StorePlan, passwords: tuple[str, ...]
) -> None:
    """Add the changes of these keystores to ``store``. An unreadable one is a warning."""
    paths = list(_paths(device.view, layout, store))
    if not paths:
        return
    wanted = RuntimeRequest(
        anchors=tuple(anchors_of(PlannedTree(device, store.desired), layout, store)),
        removed=frozenset(store.selected.union(each.certificate.sha256 for each in store.removed)) | request.distrust,
        distrust=True,
        only=request.only,
        java_passwords=passwords,
        created=request.created,
    )
    readable, warnings = readable_anchors(wanted)
    store.warnings += warnings
    for path in paths:
        data = read(device.view, path) or b""
        try:
            changed = changed_keystore(data, readable, wanted)
        except (MalformedError, InputError) as error:
            message = f"{error.problems[0].message}; it is not changed, so Java does not see this change"
            store.warnings.append(JAVA_STORE_FORMAT(path, message, _HINT))
        else:
            store.desired[path] = File(changed)


def _paths(view: View, layout: Layout, store: StorePlan) -> Iterator[str]:
    """Return the real paths of the keystores, each once."""
    written = {view.real_path(path) for path in (*store.desired, *layout.keystores)}
    for real in dict.fromkeys(view.real_path(path) for path in JAVA_STORES):
        if real is not None and real not in written and view.kind(real) is File:
            yield real
