"""``--runtimes`` and ``[runtimes]``: add the anchors to the runtimes' own trust stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rootfs_trust.clients.environment_variables import variable
from rootfs_trust.clients.file_readers import file_reader
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.listing import entries_below
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Directory, File, View, read
from rootfs_trust.runtimes import node
from rootfs_trust.runtimes.all_runtimes import plan_of_runtimes
from rootfs_trust.runtimes.names import NAMES
from rootfs_trust.runtimes.request import Assignment, RuntimePlan, RuntimeRequest, RuntimeTree
from rootfs_trust.runtimes.variables import (
    PROFILE,
    SYSTEMD,
    record,
    recorded,
    unassigned,
    variable_files,
    variables_before,
)
from rootfs_trust.store.anchor import Anchor, name_of_file, safe_name
from rootfs_trust.store.purposes import SERVERS
from rootfs_trust.store.source_file import read_source
from rootfs_trust.store.store_plan import StorePlan

_SUFFIXES = (".crt", ".pem", ".cer")
_OPENSSL_TRUST = b"-----BEGIN TRUSTED CERTIFICATE-----"


def ask_runtimes(
    device: Device,
    layout: Layout,
    store: StorePlan,
    names: Sequence[str],
    request: RuntimeRequest,
    configured: Mapping[str, str] | None,
) -> RuntimePlan:
    """Plan the changes of the runtimes ``names`` for the tree that ``store`` will leave.

    If the run removes anchors, their entries in all other runtimes are removed, too. ``configured``: the variables in
    the config of a container image, which also gets ours; None for a root filesystem, which gets files.
    """
    view = PlannedTree(device, store.desired)
    tree = RuntimeTree(view, {view.real_path(path) or path for path in (*store.desired, layout.bundle)})
    anchors = tuple(anchors_of(view, layout, store))
    removed = request.removed.union(each.certificate.sha256 for each in store.removed)
    request = request._replace(anchors=anchors, removed=removed, distrust=True, bundle=layout.bundle)
    plan = plan_of_runtimes(tree, names, request)
    if store.removed:
        others = [name for name in NAMES if name not in names and "auto" not in names]
        ours = plan_of_runtimes(tree, others, request._replace(anchors=(), distrust=False), optional=True)
        plan.merge(_lenient(ours))
    return _with_variables(device, view, plan, request, configured)


def _lenient(plan: RuntimePlan) -> RuntimePlan:
    """Return the plan with its problems as warnings, so that a store that the user did not request cannot prevent a
    removal.
    """
    unread = [*plan.problems, *plan.conflicts]
    message = "may still trust a removed certificate: it"
    plan.warnings += (each._replace(id="runtime-store", message=f"{message} {each.message}") for each in unread)
    plan.problems, plan.conflicts = [], []
    return plan


def _with_variables(
    device: Device, view: View, plan: RuntimePlan, request: RuntimeRequest, configured: Mapping[str, str] | None
) -> RuntimePlan:
    """Add the variables to files, or to the config of a container image."""
    assigned = _assigned(device, [*plan.variables], configured)
    plan.variables, conflicts = unassigned(view, plan.variables, assigned)
    plan.conflicts += conflicts
    before = variables_before(view) if configured is None else recorded(view)
    left = {name: value for name, value in before.items() if _still_wanted(name, plan, request)}
    if configured is None:
        if before or plan.variables:
            plan.merge(variable_files(view, left | plan.variables))
        return plan
    gone = {name: value for name, value in before.items() if name not in left | plan.variables}
    plan.unset = {name: value for name, value in gone.items() if configured.get(name) == value}
    plan.merge(record(view, left | plan.variables))
    return plan


def _still_wanted(name: str, plan: RuntimePlan, request: RuntimeRequest) -> bool:
    """Return whether a variable that an earlier run set is still needed: the file that it names stays, or anchors are
    left.
    """
    if name == node.VARIABLE and node.PATH in plan.desired:
        return isinstance(plan.desired[node.PATH], File)
    return bool(request.anchors)


def _assigned(
    device: Device, names: Sequence[str], configured: Mapping[str, str] | None
) -> dict[str, tuple[Assignment, ...]]:
    """Return where the tree, or the config of the image, already sets the variables ``names``."""
    reading = file_reader(device)
    found = {
        name: tuple(Assignment(value, place) for value, place in variable(reading, name) if place not in _FILES)
        for name in names
    }
    for name in names:
        if name in (configured or {}):
            found[name] += (Assignment((configured or {})[name], "the image's configuration"),)
    # An image that is open as a tree also has variables.
    return {name: tuple(dict.fromkeys(there)) for name, there in found.items() if there}


_FILES = (PROFILE, SYSTEMD)


def anchors_of(view: View, layout: Layout, store: StorePlan) -> Iterator[Anchor]:
    """Return the installed anchors for TLS servers, of this run and of earlier ones."""
    installed = {each.certificate.sha256: each for each in store.installed}
    others = {sha256: each for each in _local(view, layout) if (sha256 := each.certificate.sha256) not in installed}
    names: set[str] = set()
    for sha256, anchor in (installed | others).items():
        if sha256 in installed and not (anchor.purposes is None or SERVERS in anchor.purposes):
            continue
        # A file of the root filesystem may have any name, and a comment or an alias may not.
        name = safe_name(anchor.name)
        yield anchor._replace(name=f"{name}-{sha256[:8]}" if name in names else name)
        names.add(name)


def _local(view: View, layout: Layout) -> Iterator[Anchor]:
    """Return the certificates in the anchor source directory, or nothing if the layout has only a bundle."""
    if view.kind(layout.local) is not Directory:
        return
    for path, kind in entries_below(view, layout.local, follow=True):
        if kind is not File or not path.endswith(_SUFFIXES):
            continue
        data = read(view, path) or b""
        if _OPENSSL_TRUST not in data:  # trusted for other purposes, or distrusted
            for certificate in read_source(path, data).certificates:
                yield Anchor(name_of_file(path), certificate, path)
