"""Changes PEM bundles that an application ships and reads instead of the system's."""

from __future__ import annotations

from rootfs_trust.errors import CONFLICT, MalformedError
from rootfs_trust.rootfs.view import File, View, read
from rootfs_trust.runtimes.pem_block import read_pem_file, with_block
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest


def changed_bundles(view: View, paths: list[str], request: RuntimeRequest) -> RuntimePlan:
    """Return the bundles at ``paths`` that ``request`` changes, with the new block of anchors."""
    plan = RuntimePlan()
    for path in paths:
        data = read(view, path)
        if data is None:
            continue
        try:
            changed = changed_bundle(data, request)
        except MalformedError as error:
            hint = "restore the file from its package, then run install again"
            plan.conflicts.append(CONFLICT(path, error.message, hint))
            continue
        if changed != data:
            plan.desired[path] = File(changed)
    return plan


def changed_bundle(data: bytes, request: RuntimeRequest) -> bytes:
    """Return a bundle with the block of anchors that ``request`` asks for. Raises MalformedError."""
    file = read_pem_file(data)
    others = file.without(request.removed) if request.distrust else file.others
    return with_block(others, file.wanted(request))
